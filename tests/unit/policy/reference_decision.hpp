// May this request pass? By the rules of docs/policy.md alone, with sets of words in place of bits. Property tests hold
// decide() against it; which route governs is reference_winner's to say.
#pragma once

#include "config/policy_document.hpp"
#include "policy/decide.hpp"
#include "tests/unit/policy/reference_matcher.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace keygate::policy::testing {

using Words = std::set<std::string>;

struct ReferenceScope {
  bool is_restricted = false;
  Words implies;
};

using ReferenceCatalogue = std::map<std::string, ReferenceScope>;

inline ReferenceCatalogue reference_catalogue(const std::vector<config::ScopeDocument>& scopes) {
  ReferenceCatalogue catalogue;
  for (const auto& scope : scopes) {
    catalogue[scope.name.value].is_restricted = scope.restricted;
    for (const auto& implied : scope.implies) catalogue[scope.name.value].implies.insert(implied.value);
  }
  return catalogue;
}

// A scope and all that it brings.
inline void add_with_implied(const ReferenceCatalogue& catalogue, const std::string& name, Words& held) {
  if (!catalogue.contains(name) || !held.insert(name).second) return;
  for (const auto& implied : catalogue.at(name).implies) add_with_implied(catalogue, implied, held);
}

inline Words reference_held(const ReferenceCatalogue& catalogue, const std::vector<std::string>& granted) {
  Words by_name, by_wildcard;
  for (const auto& grant : granted) {
    const bool is_wildcard = grant == "*" || grant.ends_with(":*");
    if (!is_wildcard) add_with_implied(catalogue, grant, by_name);
    for (const auto& [name, scope] : catalogue) {
      const bool is_covered = is_wildcard && (grant == "*" || name.starts_with(grant.substr(0, grant.size() - 1)));
      if (is_covered && !scope.is_restricted) add_with_implied(catalogue, name, by_wildcard);
    }
  }
  for (const auto& name : by_wildcard) {
    if (!catalogue.at(name).is_restricted) by_name.insert(name);
  }
  return by_name;
}

struct ReferenceCaller {
  Caller::Found found = Caller::Found::nothing;
  CredentialKind kind = CredentialKind::none;
  KeyAnswer::State state = KeyAnswer::State::valid;
  std::string organization;
  std::string prefix_environment, said_environment;  // "", live, test
  std::vector<std::string> granted;
  bool is_expired = false;
  bool is_cross_site = false;
};

inline bool has_word(const std::vector<config::Text>& texts, std::string_view word) {
  return std::any_of(texts.begin(), texts.end(), [&](const auto& text) { return text.value == word; });
}

// What is wrong with who asks, whatever is asked for; "" where nothing is.
inline std::string reference_credential_code(const ReferenceCaller& caller) {
  using Found = Caller::Found;
  switch (caller.found) {
    case Found::not_looked:
    case Found::nothing:
      return "missing_credential";
    case Found::ambiguous:
      return "ambiguous_credential";
    case Found::malformed:
      return "malformed_key";
    case Found::could_not_find_out:
      return "key_service_unavailable";
    case Found::over_budget:
      return "too_many_unknown_keys";
    case Found::answered:
      break;
  }
  const bool is_valid = caller.state == KeyAnswer::State::valid;
  const auto &prefix = caller.prefix_environment, &said = caller.said_environment;
  if (is_valid && !prefix.empty() && !said.empty() && prefix != said) return "key_service_unavailable";
  if (is_valid && !caller.is_expired) return "";
  if (caller.kind == CredentialKind::session) return "invalid_session";
  if (is_valid || caller.state == KeyAnswer::State::expired) return "expired_key";
  if (caller.state == KeyAnswer::State::unknown) return "invalid_key";
  return caller.state == KeyAnswer::State::revoked ? "revoked_key" : "disabled_key";
}

inline bool reference_accepts(const config::RequireDocument& require, CredentialKind kind) {
  return require.credentials.empty() ? kind == CredentialKind::api_key : has_word(require.credentials, to_string(kind));
}

// Whether the environment may pass the route, and to which upstream; "" where it may not.
inline std::string reference_upstream(const config::RouteDocument& route, const std::string& environment) {
  if (route.require && route.require->environment && route.require->environment->value != environment) return "";
  if (route.upstream.single) return route.upstream.single->value;
  if (environment == "live" && route.upstream.live) return route.upstream.live->value;
  if (environment == "test" && route.upstream.test) return route.upstream.test->value;
  return "";
}

// "ok UPSTREAM", or the code of the denial.
inline std::string reference_decision(const config::RouteDocument* route, const ReferenceCatalogue& catalogue,
                                      const std::string& path, const ReferenceCaller& caller) {
  if (route == nullptr) return "no_route";
  const bool is_let_in = route->anonymous || (route->optional && caller.found == Caller::Found::nothing);
  if (is_let_in) return "ok " + route->upstream.single->value;
  const auto flaw = reference_credential_code(caller);
  if (!flaw.empty()) return flaw;
  const auto& require = *route->require;
  if (!reference_accepts(require, caller.kind)) return "credential_not_accepted";
  if (caller.is_cross_site) return "cross_site";
  const auto& environment = caller.prefix_environment.empty() ? caller.said_environment : caller.prefix_environment;
  const auto upstream = reference_upstream(*route, environment);
  if (upstream.empty()) return "wrong_environment";
  if (require.organization && caller.kind != CredentialKind::admin) {
    const auto wanted = split(route->match.path.value);
    const auto at = std::find(wanted.begin(), wanted.end(), require.organization->value) - wanted.begin();
    const auto given = split(path);
    if (caller.organization.empty() || given[static_cast<std::size_t>(at)] != caller.organization)
      return "wrong_organization";
  }
  const auto held = reference_held(catalogue, caller.granted);
  const auto is_held = [&](const auto& scope) { return held.contains(scope.value); };
  const bool has_all = std::all_of(require.all_scopes.begin(), require.all_scopes.end(), is_held);
  const bool has_any =
      require.any_scopes.empty() || std::any_of(require.any_scopes.begin(), require.any_scopes.end(), is_held);
  return has_all && has_any ? "ok " + upstream : "insufficient_scope";
}

}  // namespace keygate::policy::testing
