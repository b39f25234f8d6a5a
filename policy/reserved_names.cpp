#include "policy/reserved_names.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace keygate::policy {
namespace {

constexpr std::array<char, 256> folded = [] {
  std::array<char, 256> table{};
  table.fill('-');
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = c;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = c;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = static_cast<char>(c - 'A' + 'a');
  return table;
}();

// Hop-by-hop, or what says how long a message is and whose it is: the exchange reads them and writes its own. `Proxy`
// is no header of HTTP, but CGI turns it into HTTP_PROXY, and the program behind then talks through the client's proxy
// (httpoxy).
constexpr auto framing =
    std::to_array<std::string_view>({"connection", "content-length", "expect", "host", "http2-settings", "keep-alive",
                                     "proxy", "proxy-authenticate", "proxy-authentication-info", "proxy-authorization",
                                     "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"});

// What upstreams and frameworks believe about the client, the scheme, the path or the method in place of what they see:
// only a proxy in front of this one may say it (P-18, P-19, H-06, H-07).
constexpr auto forwarding = std::to_array<std::string_view>({"cf-connecting-ip",
                                                             "cf-connecting-ipv6",
                                                             "client-ip",
                                                             "fastly-client-ip",
                                                             "forwarded",
                                                             "front-end-https",
                                                             "proxy-client-ip",
                                                             "true-client-ip",
                                                             "wl-proxy-client-ip",
                                                             "x-azure-clientip",
                                                             "x-azure-socketip",
                                                             "x-client-ip",
                                                             "x-cluster-client-ip",
                                                             "x-forwarded",
                                                             "x-host",
                                                             "x-http-destinationurl",
                                                             "x-http-method",
                                                             "x-http-method-override",
                                                             "x-method-override",
                                                             "x-originating-ip",
                                                             "x-real-ip",
                                                             "x-remote-addr",
                                                             "x-remote-ip",
                                                             "x-request-id",
                                                             "x-scheme",
                                                             "x-url-scheme"});

struct Prefix {
  std::string_view folded;
  NameClass name_class;
};

// x-envoy-*: x-envoy-original-path and its like steer Envoy and what stands behind it.
constexpr auto prefixes = std::to_array<Prefix>({{"x-keygate-", NameClass::identity},
                                                 {"x-forwarded-", NameClass::forwarding},
                                                 {"x-original-", NameClass::forwarding},
                                                 {"x-rewrite-", NameClass::forwarding},
                                                 {"x-envoy-", NameClass::forwarding}});

constexpr unsigned bucket_count = 128;

// Length and both ends tell the reserved names apart well enough that most other names fall into an empty bucket.
unsigned bucket_of(std::string_view name) {
  const auto first = static_cast<unsigned char>(fold(name.front()));
  const auto last = static_cast<unsigned char>(fold(name.back()));
  return (static_cast<unsigned>(name.size()) * 5U + first * 31U + last * 3U) % bucket_count;
}

std::string fold_all(std::string_view name) {
  std::string result(name);
  std::transform(result.begin(), result.end(), result.begin(), fold);
  return result;
}

bool begins_folded(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && folds_equal(name.substr(0, prefix.size()), prefix);
}

NameClass class_by_prefix(std::string_view name) {
  if (name.size() < 2 || fold(name[0]) != 'x' || fold(name[1]) != '-') return NameClass::plain;
  for (const auto& prefix : prefixes) {
    if (begins_folded(name, prefix.folded)) return prefix.name_class;
  }
  return NameClass::plain;
}

std::vector<std::string> identity_names(const config::IdentityHeaderSettings& settings) {
  std::vector<std::string> names;
  for (const auto* name : {&settings.organization, &settings.key, &settings.user, &settings.scopes,
                           &settings.environment, &settings.method}) {
    if (!name->empty()) names.push_back(fold_all(*name));
  }
  return names;
}

std::vector<std::string> credential_names(const config::CredentialSettings& settings) {
  std::vector<std::string> names;  // without a bearer source, Authorization is between the client and the upstream
  for (const auto& source : settings.sources) {
    switch (source.kind) {
      case config::CredentialSource::Kind::header:
        if (!source.name.empty()) names.push_back(fold_all(source.name));
        break;
      case config::CredentialSource::Kind::bearer:
        names.push_back("authorization");
        break;
      case config::CredentialSource::Kind::query:
      case config::CredentialSource::Kind::cookie:  // only its pair leaves the Cookie header
        break;
    }
  }
  return names;
}

}  // namespace

char fold(char c) { return folded[static_cast<unsigned char>(c)]; }

bool folds_equal(std::string_view name, std::string_view folded_name) {
  return name.size() == folded_name.size() &&
         std::equal(name.begin(), name.end(), folded_name.begin(), [](char a, char b) { return fold(a) == b; });
}

bool folds_alike(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return fold(x) == fold(y); });
}

ReservedNames::ReservedNames(const config::IdentityHeaderSettings& identity,
                             const config::CredentialSettings& credentials, const std::vector<std::string>& set) {
  const auto add = [this](const auto& names, NameClass name_class) {
    for (const auto& name : names) {
      const bool is_known = std::any_of(rows_.begin(), rows_.end(), [&](const Row& row) { return row.folded == name; });
      if (!is_known) rows_.push_back({std::string(name), name_class});
    }
  };
  add(framing, NameClass::framing);
  add(identity_names(identity), NameClass::identity);
  add(credential_names(credentials), NameClass::credential);
  std::vector<std::string> set_names;
  for (const auto& name : set) set_names.push_back(fold_all(name));
  add(set_names, NameClass::identity);
  add(forwarding, NameClass::forwarding);

  std::sort(rows_.begin(), rows_.end(),
            [](const Row& a, const Row& b) { return bucket_of(a.folded) < bucket_of(b.folded); });
  buckets_.resize(bucket_count);
  for (unsigned i = 0; i < rows_.size(); ++i) {
    auto& [first, last] = buckets_[bucket_of(rows_[i].folded)];
    if (first == last) first = i;
    last = i + 1;
  }
}

NameClass ReservedNames::classify(std::string_view name) const {
  if (name.empty()) return NameClass::plain;
  const auto by_prefix = class_by_prefix(name);
  if (by_prefix == NameClass::identity) return by_prefix;
  const auto [first, last] = buckets_[bucket_of(name)];
  for (auto i = first; i < last; ++i) {
    if (folds_equal(name, rows_[i].folded)) return rows_[i].name_class;
  }
  return by_prefix;
}

std::vector<std::string> ReservedNames::all() const {
  std::vector<std::string> names;
  for (const auto& row : rows_) names.push_back(row.folded);
  for (const auto& prefix : prefixes) names.push_back(std::string(prefix.folded) + '*');
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace keygate::policy
