#include "keys/credential.hpp"

#include "keys/characters.hpp"
#include "keys/cookie_credential.hpp"
#include "keys/pieces.hpp"
#include "keys/query_credential.hpp"

#include <algorithm>
#include <optional>

namespace keygate::keys {

namespace {

using SourceKind = config::CredentialSource::Kind;

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, [](char c, char expected) {
    return (c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c) == expected;
  });
}

// RFC 6750 section 2.1: b64token
bool is_b64token(std::string_view text) {
  const std::size_t padding = std::min(text.find('='), text.size());
  return padding > 0 && is_all(CharacterClass::b64, text.substr(0, padding)) &&
         text.find_first_not_of('=', padding) == std::string_view::npos;
}

// A token, perhaps with escapes, as cookies have them.
bool may_be_credential(std::string_view text) {
  const auto is_fit = [](char c) { return c == '%' || is_of(CharacterClass::open, c); };
  return !text.empty() && text.size() <= Secret::max_size && std::ranges::all_of(text, is_fit);
}

// What all the places have come to so far.
struct Finding {
  std::optional<std::string_view> text;
  SourceKind source = SourceKind::bearer;
  bool is_ambiguous = false;
  bool is_malformed = false;

  void take(std::string_view found, SourceKind where) {
    if (text && !equal_in_constant_time(SecretView(*text), SecretView(found))) is_ambiguous = true;
    if (text) return;
    text = found;
    source = where;
  }
};

// One place that may hold one value: a second one there is ambiguous, even the same again (an upstream may take
// either).
class Place {
 public:
  void see(std::string_view value) {
    is_doubled_ = is_doubled_ || value_.has_value();
    value_ = value;
  }
  bool is_doubled() const { return is_doubled_; }
  const std::optional<std::string_view>& value() const { return value_; }

 private:
  std::optional<std::string_view> value_;
  bool is_doubled_ = false;
};

Place find_header(std::span<const policy::HeaderField> headers, std::string_view lower_case_name) {
  Place place;
  for (const policy::HeaderField& header : headers) {
    if (header.name.size() == lower_case_name.size() && equals_ignoring_case(header.name, lower_case_name))
      place.see(header.value);
  }
  return place;
}

void look_in_authorization(std::span<const policy::HeaderField> headers, Finding& finding) {
  const Place place = find_header(headers, "authorization");
  finding.is_ambiguous |= place.is_doubled();
  if (!place.value()) return;
  const std::string_view value = *place.value();
  const auto scheme_end = static_cast<std::size_t>(
      std::ranges::find_if_not(value, [](char c) { return is_of(CharacterClass::token, c); }) - value.begin());
  if (scheme_end > 0 && !equals_ignoring_case(value.substr(0, scheme_end), "bearer")) return;

  const std::size_t token = std::min(value.find_first_not_of(' ', scheme_end), value.size());
  if (scheme_end == 0 || token == scheme_end || !is_b64token(value.substr(token))) {
    finding.is_malformed = true;
    return;
  }
  finding.take(value.substr(token), SourceKind::bearer);
}

void look_in_header(std::span<const policy::HeaderField> headers, std::string_view name, Finding& finding) {
  const Place place = find_header(headers, name);
  finding.is_ambiguous |= place.is_doubled();
  if (place.value()) finding.take(*place.value(), SourceKind::header);
}

void look_in_query(std::string_view query, std::string_view name, Finding& finding) {
  Place place;
  for (Pieces parameters(query, "&"); parameters.next();) {
    if (is_query_name(name_of(parameters.piece()), name)) place.see(value_of(parameters.piece()));
  }
  finding.is_ambiguous |= place.is_doubled();
  if (!place.value()) return;
  // Keys need no escapes in a query. Decoding one here would make a second spelling of the same key, and '+' reads
  // either way.
  finding.is_malformed |= place.value()->find_first_of("%+") != std::string_view::npos;
  finding.take(*place.value(), SourceKind::query);
}

Place find_cookie(std::span<const policy::HeaderField> headers, std::string_view name) {
  Place place;
  for (const policy::HeaderField& header : headers) {
    if (!equals_ignoring_case(header.name, "cookie")) continue;
    for (Pieces pairs(header.value, ";"); pairs.next();) {
      if (is_cookie_named(pairs.piece(), name)) place.see(cookie_value(pairs.piece()));
    }
  }
  return place;
}

}  // namespace

CredentialPlan::CredentialPlan(const config::CredentialSettings& settings, bool reads_sessions)
    : formats_(settings.formats), reads_sessions_(reads_sessions) {
  for (const config::CredentialSource& source : settings.sources) {
    switch (source.kind) {
      case SourceKind::bearer:
        bearer_ = true;
        break;
      case SourceKind::header:
        header_names_.push_back(source.name);
        break;
      case SourceKind::query:
        query_names_.push_back(source.name);
        break;
      case SourceKind::cookie:
        cookie_names_.push_back(source.name);
        break;
    }
  }
}

Presented CredentialPlan::extract(std::span<const policy::HeaderField> headers, std::string_view query) const {
  Finding finding;
  if (bearer_) look_in_authorization(headers, finding);
  for (const std::string& name : header_names_) look_in_header(headers, name, finding);
  for (const std::string& name : query_names_) look_in_query(query, name, finding);
  for (const std::string& name : cookie_names_) {
    const Place cookie = find_cookie(headers, name);
    finding.is_ambiguous |= cookie.is_doubled();
    const bool is_session = cookie.value() && reads_sessions_ && !is_key(*cookie.value());
    if (cookie.value() && !(is_session && finding.text)) finding.take(*cookie.value(), SourceKind::cookie);
  }

  Presented presented;
  if (finding.is_ambiguous) {
    presented.kind = Presented::Kind::ambiguous;
  } else if (finding.is_malformed) {
    presented.kind = Presented::Kind::malformed;
  } else if (finding.text) {
    const SecretView secret(*finding.text);
    const bool may_be_key = finding.source != SourceKind::cookie || !reads_sessions_ || is_key(*finding.text);
    const std::optional<policy::Environment> environment = may_be_key ? formats_.fit(secret) : std::nullopt;
    if (environment) return {Presented::Kind::one, secret, *environment, finding.source};
    if (may_be_credential(*finding.text)) {
      return {Presented::Kind::unfit, secret, policy::Environment::none, finding.source};
    }
    presented.kind = Presented::Kind::malformed;
  }
  return presented;
}

// Without a format there is no telling a key from a session, and a cookie of browsers holds the latter.
bool CredentialPlan::is_key(std::string_view cookie) const {
  return !formats_.empty() && formats_.fit(SecretView(cookie)).has_value();
}

bool CredentialPlan::is_query_ambiguous(std::string_view query) const {
  return !query_names_.empty() && keys::is_query_ambiguous(query, query_names_);
}

std::size_t CredentialPlan::strip_query(std::string_view query, char* out) const {
  return keys::strip_query(query, query_names_, out);
}

std::size_t CredentialPlan::strip_cookie(std::string_view value, char* out) const {
  return keys::strip_cookie(value, cookie_names_, out);
}

}  // namespace keygate::keys
