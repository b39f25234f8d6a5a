#include "keys/dialect.hpp"
#include "keys/internet_time.hpp"
#include "keys/restrictions.hpp"
#include "keys/strict_json.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace keygate::keys {

namespace {

namespace json = boost::json;
using policy::KeyAnswer;
using policy::Principal;
using State = KeyAnswer::State;

constexpr std::size_t max_depth = 8;
constexpr std::size_t longest_scope = 128;
constexpr std::int64_t last_second = 253'402'300'799;  // of the year 9999

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// application/json, or a type that says it is JSON by its suffix (RFC 6839).
bool is_json(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  constexpr std::string_view suffix = "+json";
  return equals_ignoring_case(type, "application/json") ||
         (type.size() > suffix.size() && equals_ignoring_case(type.substr(type.size() - suffix.size()), suffix));
}

// One step of a JSON pointer: ~1 is a slash, ~0 a tilde.
std::string unescaped(std::string_view step) {
  std::string text;
  for (std::size_t i = 0; i < step.size(); ++i) {
    const bool is_escape = step[i] == '~' && i + 1 < step.size();
    text += !is_escape ? step[i] : step[++i] == '1' ? '/' : '~';
  }
  return text;
}

const json::value* member(const json::value& value, const std::string& name) {
  if (const auto* const object = value.if_object()) return object->if_contains(name);
  const auto* const array = value.if_array();
  std::size_t index = 0;
  const auto [rest, fault] = std::from_chars(name.data(), name.data() + name.size(), index);
  const bool is_index = array != nullptr && fault == std::errc{} && rest == name.data() + name.size();
  return is_index ? array->if_contains(index) : nullptr;
}

// Reads fields of one answer, and remembers the first that is not of its type.
class AnswerReader {
 public:
  AnswerReader(const json::value& answer, std::string_view secret) : answer_(answer), secret_(secret) {}

  // None where there is nothing, or null.
  const json::value* find(const Mapping::Pointers& pointers) {
    for (const std::string& pointer : pointers) {
      if (const json::value* const found = walk(pointer)) return found;
    }
    return nullptr;
  }

  std::optional<bool> boolean(const Mapping::Pointers& pointers) {
    const json::value* const value = find(pointers);
    if (value == nullptr) return missing(pointers), std::nullopt;
    if (!value->is_bool()) return complain(pointers, "no boolean"), std::nullopt;
    return value->get_bool();
  }

  std::string_view word(const Mapping::Pointers& pointers) {
    const json::value* const value = find(pointers);
    if (value == nullptr) return {};
    if (!value->is_string()) return complain(pointers, "no string"), std::string_view{};
    return view(value->get_string());
  }

  std::string identity(const Mapping::Pointers& pointers, bool is_needed) {
    const json::value* const value = find(pointers);
    if (value == nullptr) {
      if (is_needed) missing(pointers);
      return "";
    }
    const std::string_view text = value->is_string() ? view(value->get_string()) : std::string_view{};
    if (!policy::is_identity_value(text)) return complain(pointers, "no identity"), "";
    const bool has_secret = !secret_.empty() && text.find(secret_) != std::string_view::npos;
    if (has_secret) return complain(pointers, "the credential itself"), "";
    return std::string(text);
  }

  policy::Environment environment(const Mapping::Pointers& pointers) {
    const std::string_view text = word(pointers);
    for (const auto environment : {policy::Environment::none, policy::Environment::live, policy::Environment::test}) {
      if (policy::to_string(environment) == text) return environment;
    }
    complain(pointers, "no environment");
    return policy::Environment::none;
  }

  std::optional<std::int64_t> expiry(const Mapping::Pointers& pointers, Mapping::Time form) {
    using Time = Mapping::Time;
    const json::value* const value = find(pointers);
    if (value == nullptr) return std::nullopt;
    std::optional<std::int64_t> seconds;
    if (value->is_string() && (form == Time::text || form == Time::seconds_or_text)) {
      seconds = parse_internet_time(view(value->get_string()));
    } else if (value->is_int64() && form != Time::text) {
      seconds = form == Time::milliseconds ? value->get_int64() / 1000 : value->get_int64();
    }
    if (!seconds || *seconds <= 0 || *seconds > last_second) complain(pointers, "no time");
    return seconds;
  }

  std::vector<std::string> scopes(const Mapping& mapping) {
    const json::value* const value = find(mapping.scopes);
    if (value == nullptr) return mapping.default_scopes;
    std::vector<std::string> scopes;
    if (value->is_string() && mapping.takes_scope_words) {
      add_words(view(value->get_string()), scopes);
    } else if (value->is_array() && mapping.takes_scope_list) {
      add_list(value->get_array(), "", scopes);
    } else if (value->is_object() && mapping.takes_scope_resources) {
      for (const auto& [resource, actions] : value->get_object()) {
        if (!actions.is_array()) return complain(mapping.scopes, "no scopes"), std::vector<std::string>{};
        add_list(actions.get_array(), std::string(resource.data(), resource.size()) + ":", scopes);
      }
    } else {
      complain(mapping.scopes, "no scopes");
    }
    if (!std::ranges::all_of(scopes, is_scope)) complain(mapping.scopes, "a word that is no scope");
    if (scopes.size() > policy::max_granted) complain(mapping.scopes, "more than 256 scopes");
    return scopes;
  }

  std::shared_ptr<const policy::Restrictions> restrictions(const Mapping& mapping) {
    auto read = read_restrictions({find(mapping.allowed_cidrs), nullptr});
    if (!read) return complain(mapping.allowed_cidrs, "no address blocks"), nullptr;
    read = read_restrictions({find(mapping.allowed_cidrs), find(mapping.rate_limit)});
    if (!read) return complain(mapping.rate_limit, "no rate limit"), nullptr;
    return std::move(*read);
  }

  void complain(const Mapping::Pointers& pointers, std::string_view what) {
    if (!flaw_.empty()) return;
    flaw_ = "it has " + std::string(what) + " at " + (pointers.empty() ? "the top" : pointers.front());
  }
  void missing(const Mapping::Pointers& pointers) { complain(pointers, "nothing"); }
  const std::string& flaw() const { return flaw_; }

 private:
  const json::value* walk(const std::string& pointer) {
    const json::value* at = &answer_;
    std::string_view rest = pointer;
    while (!rest.empty()) {
      rest.remove_prefix(1);  // the slash
      const auto end = std::min(rest.find('/'), rest.size());
      const json::value* const next = member(*at, unescaped(rest.substr(0, end)));
      rest.remove_prefix(end);
      if (!at->is_structured()) complain({pointer}, "a value in the way");
      if (next == nullptr || next->is_null()) return nullptr;
      at = next;
    }
    return at;
  }

  // RFC 6749 §3.3, scope-token. Whether the catalogue knows it is for the policy to say.
  static bool is_scope(std::string_view scope) {
    return !scope.empty() && scope.size() <= longest_scope &&
           std::ranges::all_of(scope, [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; });
  }

  static void add_words(std::string_view text, std::vector<std::string>& scopes) {
    while (!text.empty()) {
      const auto end = std::min(text.find(' '), text.size());
      if (end > 0) scopes.emplace_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  // What is no string becomes an empty word, which is no scope.
  static void add_list(const json::array& list, const std::string& prefix, std::vector<std::string>& scopes) {
    for (const json::value& element : list) {
      scopes.push_back(element.is_string() ? prefix + std::string(view(element.get_string())) : "");
    }
  }

  const json::value& answer_;
  const std::string_view secret_;
  std::string flaw_;
};

std::variant<KeyAnswer, AnswerFlaw> read_refusal(const Mapping& mapping, AnswerReader& reader) {
  KeyAnswer answer;
  answer.state = State::unknown;
  const std::string_view code = reader.word(mapping.code);
  if (!code.empty()) {
    const auto word = std::ranges::find(mapping.refusals, code, &RefusalWord::code);
    // Perhaps it is no refusal for good, so it must not be remembered as one.
    if (word == mapping.refusals.end()) return AnswerFlaw{errc::invalid_answer, "it refuses with an unknown code"};
    if (!word->state) return AnswerFlaw{errc::unavailable, "it limits how often this key is verified"};
    answer.state = *word->state;
  }
  if (answer.state != State::unknown) answer.principal.key_id = reader.identity(mapping.key_id, false);
  if (!reader.flaw().empty()) return AnswerFlaw{errc::invalid_answer, reader.flaw()};
  return answer;
}

std::variant<KeyAnswer, AnswerFlaw> read_document(const Mapping& mapping, const json::value& document,
                                                  SecretView secret) {
  AnswerReader reader(document, secret.reveal());
  if (mapping.valid.empty() && document.is_null()) return KeyAnswer{};  // unknown
  if (!document.is_object()) return AnswerFlaw{errc::invalid_answer, "it is no JSON object"};
  const std::optional<bool> is_valid = mapping.valid.empty() ? true : reader.boolean(mapping.valid);
  if (!is_valid) return AnswerFlaw{errc::invalid_answer, reader.flaw()};
  if (!*is_valid) return read_refusal(mapping, reader);

  const std::string_view code = reader.word(mapping.code);
  if (std::ranges::find(mapping.refusals, code, &RefusalWord::code) != mapping.refusals.end()) {
    return AnswerFlaw{errc::invalid_answer, "it says yes, and why not"};
  }
  KeyAnswer answer;
  answer.state = State::valid;
  Principal& principal = answer.principal;
  principal.key_id = reader.identity(mapping.key_id, mapping.needs_key_id);
  principal.organization = reader.identity(mapping.organization, mapping.needs_organization);
  principal.user = reader.identity(mapping.user, mapping.needs_user);
  principal.environment = reader.environment(mapping.environment);
  principal.expires_at = reader.expiry(mapping.expires_at, mapping.time);
  principal.granted = reader.scopes(mapping);
  principal.restrictions = reader.restrictions(mapping);
  if (!reader.flaw().empty()) return AnswerFlaw{errc::invalid_answer, reader.flaw()};
  return answer;
}

std::optional<AnswerFlaw> status_flaw(unsigned status) {
  if (status == 200) return std::nullopt;
  const std::string said = "it has status " + std::to_string(status);
  if (status == 401 || status == 403) return AnswerFlaw{errc::invalid_answer, said + ": is the token right?"};
  if (status >= 300 && status < 400) return AnswerFlaw{errc::invalid_answer, said + ": redirects are not followed"};
  if (status == 429 || status >= 500) return AnswerFlaw{errc::unavailable, said};
  return AnswerFlaw{errc::invalid_answer, said};
}

}  // namespace

std::variant<KeyAnswer, AnswerFlaw> read_answer(const Mapping& mapping, const ServiceResponse& response,
                                                SecretView secret) {
  if (auto flaw = status_flaw(response.status)) return std::move(*flaw);
  if (!is_json(response.content_type)) return AnswerFlaw{errc::invalid_answer, "its content type is not JSON"};
  const auto document = parse_strict_json(response.body, max_depth);
  if (!document) {
    return AnswerFlaw{errc::invalid_answer, "it is no JSON of at most 8 levels without repeated members"};
  }
  return read_document(mapping, *document, secret);
}

}  // namespace keygate::keys
