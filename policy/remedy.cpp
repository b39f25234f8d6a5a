#include "policy/remedy.hpp"

#include "policy/criteria_text.hpp"

#include <algorithm>

namespace keygate::policy {
namespace {

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

std::string environment_text(Environment environment) {
  return environment == Environment::none ? "without an environment" : "for " + std::string(to_string(environment));
}

std::string_view called(const Refused& refused) {
  switch (refused.caller.kind) {
    case CredentialKind::session:
      return "the session";
    case CredentialKind::admin:
      return "the admin secret";
    case CredentialKind::none:
    case CredentialKind::api_key:
      break;
  }
  return "the key";
}

// "memories:read and memories:write", "one of a or b", "a and one of b or c".
std::string needed_text(const Policy& policy, const ScopeSet& all, const ScopeSet& any) {
  auto words = names_of(policy.catalogue, all);
  if (!any.empty()) {
    const auto choice = names_of(policy.catalogue, any);
    words.push_back(choice.size() == 1 ? choice.front() : "one of " + list_text(choice, "or"));
  }
  return list_text(words);
}

std::vector<std::string> about_scopes(const Refused& refused, const Route& route) {
  const auto& held = refused.caller.held->set;
  const auto missing = missing_scopes(route.all_scopes, held);
  const bool has_any = route.any_scopes.empty() || held.meets(route.any_scopes);
  const auto holds = names_of(refused.policy.catalogue, held);
  constexpr std::size_t most = 8;
  const auto held_text = holds.empty()         ? std::string("no scope of the catalogue")
                         : holds.size() > most ? std::to_string(holds.size()) + " others"
                                               : list_text(holds);
  std::vector<std::string> lines{"needs " +
                                 needed_text(refused.policy, missing, has_any ? ScopeSet{} : route.any_scopes) + "; " +
                                 std::string(called(refused)) + " holds " + held_text};
  for (std::size_t number = 0; number < refused.policy.catalogue.size(); ++number) {
    const auto& scope = refused.policy.catalogue[number];
    const auto& granted = refused.caller.answer->principal.granted;
    const bool is_under_wildcard = std::ranges::any_of(granted, [&](const std::string& grant) {
      return grant == "*" || (grant.ends_with(":*") && scope.name.starts_with(grant.substr(0, grant.size() - 1)));
    });
    if (missing.has(number) && scope.restricted && is_under_wildcard) {
      lines.push_back(scope.name + " is restricted: no wildcard brings it, it has to be granted by name");
    }
  }
  return lines;
}

std::vector<std::string> about_organization(const Refused& refused, const Route& route) {
  const auto named = segment(refused.input.target->path(), *route.organization_segment);
  const auto& own = refused.caller.answer->principal.organization;
  return {"the path names " + (named.empty() ? std::string("no organization") : quoted(named)) + ", " +
          std::string(called(refused)) + " belongs to " + (own.empty() ? std::string("none") : quoted(own))};
}

std::vector<std::string> about_environment(const Refused& refused, const Route& route) {
  if (refused.caller.answer == nullptr) return {"the route names no upstream for a request without a key"};
  const auto environment = refused.caller.prefix_environment != Environment::none
                               ? refused.caller.prefix_environment
                               : refused.caller.answer->principal.environment;
  std::vector<std::string> open;
  for (const auto each : {Environment::live, Environment::test}) {
    const bool is_open = (route.environment == Environment::none || route.environment == each) &&
                         route.upstream[static_cast<std::size_t>(each)] != no_upstream;
    if (is_open) open.emplace_back(to_string(each));
  }
  if (refused.caller.kind == CredentialKind::api_key) {
    return {"the route is open to " + list_text(open, "or") + " keys; this one is " + environment_text(environment)};
  }
  return {"the route is open to " + list_text(open, "or") + " callers; " + std::string(called(refused)) + " is " +
          environment_text(environment)};
}

std::vector<std::string> about_kind(const Refused& refused, const Route& route) {
  std::vector<std::string> kinds;
  if (route.accepts_api_key) kinds.emplace_back("an API key");
  if (route.accepts_session) kinds.emplace_back("a session");
  if (route.accepts_admin) kinds.emplace_back("an admin secret");
  return {"the route takes " + list_text(kinds, "or") + "; this is " +
          (refused.caller.kind == CredentialKind::session ? "a session"
           : refused.caller.kind == CredentialKind::admin ? "an admin secret"
                                                          : "an API key")};
}

std::vector<std::string> about_certificate(const Refused& refused, const Route& route) {
  std::vector<std::string> subjects;
  for (const auto& subject : route.client_subjects) subjects.push_back(quoted(subject));
  const std::string_view shown = refused.caller.client_subject;
  return {"the route is for clients with the certificate of " + list_text(subjects, "or") + "; this one " +
          (shown.empty() ? std::string("shows none") : "shows that of " + quoted(shown))};
}

std::vector<std::string> about_credential(const Refused& refused, const Route& route) {
  if (route.scopes_text.empty()) return {"any valid key passes the route's scopes: it needs none"};
  return {"a key that passes holds " + needed_text(refused.policy, route.all_scopes, route.any_scopes)};
}

std::vector<std::string> about_address(const Refused& refused) {
  std::vector<std::string> blocks;
  for (const auto& block : refused.caller.answer->principal.restrictions->allowed_from) {
    blocks.push_back(to_string(block));
  }
  return {std::string(called(refused)) + " may be used from " + list_text(blocks, "or") + " alone"};
}

// "it takes GET, this is DELETE"
std::string miss_text(const Candidate& near, const MatchInput& input) {
  std::vector<std::string> misses;
  if (!near.host) misses.push_back("it is for " + host_text(*near.criteria) + ", this is " + quoted(input.host));
  if (!near.path) misses.push_back("its path is " + path_text(*near.criteria));
  if (!near.method) {
    misses.push_back("it takes " + method_text(*near.criteria) + ", this is " + std::string(to_string(input.method)));
  }
  for (std::size_t i = 0; i < near.headers.size(); ++i) {
    if (!near.headers[i]) misses.push_back("it wants the header " + header_text(near.criteria->headers[i]) + ", once");
  }
  return list_text(misses);
}

std::vector<std::string> about_route(const Refused& refused) {
  if (refused.candidates.respelled != nullptr) {
    return {"the path spells a segment of " + name_and_place(*refused.candidates.respelled) +
            " in another way: send it as the route has it"};
  }
  std::vector<std::string> lines;
  constexpr std::size_t most = 3;
  for (const auto& near : refused.candidates.all) {
    if (near.missed != 1 || !near.path || lines.size() == most) break;
    lines.push_back("nearly " + near.route->name + ": " + miss_text(near, refused.input));
  }
  if (!lines.empty()) return lines;
  const auto& all = refused.candidates.all;
  const auto slip = std::ranges::find_if(all, [](const Candidate& near) { return !near.slip.empty(); });
  if (slip != all.end()) {
    return {"the nearest is " + slip->route->name + ": " + miss_text(*slip, refused.input) + "; did you mean " +
            quoted(slip->slip) + '?'};
  }
  const auto near = std::ranges::find(all, true, &Candidate::path);
  if (near == all.end()) return {"no route has a path that covers this one"};
  return {"the nearest is " + near->route->name + ": " + miss_text(*near, refused.input)};
}

}  // namespace

std::vector<std::string> remedies(const Refused& refused) {
  const Route* const route = refused.candidates.winner;
  if (route == nullptr) return about_route(refused);
  switch (refused.reason) {
    case Reason::insufficient_scope:
      return about_scopes(refused, *route);
    case Reason::wrong_organization:
      return about_organization(refused, *route);
    case Reason::wrong_environment:
      return about_environment(refused, *route);
    case Reason::credential_not_accepted:
      return about_kind(refused, *route);
    case Reason::certificate_not_accepted:
      return about_certificate(refused, *route);
    case Reason::address_not_allowed:
      return about_address(refused);
    case Reason::missing_credential:
      return about_credential(refused, *route);
    default:  // over thirty reasons, of which the public sentence says what to do
      return {};
  }
}

}  // namespace keygate::policy
