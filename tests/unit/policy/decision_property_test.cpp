// Match and decide together against the rules as they are written, and explain against both: random policies, requests
// and callers of a small alphabet. KEYGATE_PROPERTY_CASES says how many.
#include "policy/decide.hpp"
#include "policy/explain.hpp"
#include "tests/unit/policy/random_policies.hpp"
#include "tests/unit/policy/reference_decision.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace keygate::policy {
namespace {

using testing::below;
using testing::one_of;
using testing::Random;
using testing::ReferenceCaller;
using testing::some_of;

constexpr std::int64_t now = 1'000'000;
const std::vector<std::string> scope_names{"a:r", "a:w", "b:r", "b:w", "root"};

std::vector<config::ScopeDocument> random_scopes(Random& random) {
  std::vector<config::ScopeDocument> scopes;
  for (std::size_t i = 0; i < scope_names.size(); ++i) {
    testing::ScopeOptions options;
    options.restricted = below(random, 4) == 0;
    for (std::size_t j = 0; j < i; ++j) {  // only of earlier ones, so that there is no circle
      const bool may_imply = options.restricted || !scopes[j].restricted;
      if (may_imply && below(random, 4) == 0) options.implies.push_back(scope_names[j]);
    }
    scopes.push_back(testing::scope(scope_names[i], options));
  }
  return scopes;
}

void guard(Random& random, config::RouteDocument& route, bool has_test_keys) {
  route.upstream.single = testing::text(one_of<std::string>(random, {"app", "sandbox"}));
  if (below(random, 6) == 0) return;  // anonymous, as it is
  route.anonymous = false;
  route.optional = below(random, 5) == 0;
  auto& require = route.require.emplace();
  require.where = testing::at(1);
  require.all_scopes = testing::texts(some_of(random, scope_names, 2), 1);
  require.any_scopes = testing::texts(some_of(random, scope_names, 2), 1);
  require.credentials = testing::texts(some_of<std::string>(random, {"api_key", "session", "admin"}, 3), 1);
  const bool asks_nothing = require.all_scopes.empty() && require.any_scopes.empty() && require.credentials.empty();
  if (asks_nothing) require.credentials = testing::texts({"api_key"}, 1);
  for (const auto& segment : testing::split(route.match.path.value)) {
    if (testing::is_parameter(segment) && below(random, 2) == 0) require.organization = testing::text(segment);
  }
  if (!has_test_keys && below(random, 2) == 0) return;
  if (route.optional || below(random, 2) == 0) {
    require.environment = testing::text(one_of<std::string>(random, {"live", "test"}));
    return;
  }
  route.upstream.single.reset();
  route.upstream.live = testing::text("app");
  if (below(random, 2) == 0) route.upstream.test = testing::text("sandbox");
}

config::Settings random_settings(Random& random) {
  auto settings = testing::settings_with(testing::random_routes(random, 8), random_scopes(random));
  settings.upstreams.emplace_back().name = "sandbox";
  settings.resolution.service.emplace().session_url.emplace();
  settings.credentials.admin_secrets.emplace_back().name = "ops";
  const bool has_test_keys = below(random, 2) == 0;
  if (has_test_keys) settings.credentials.formats.emplace_back().environment = Environment::test;
  for (auto& route : settings.policy.routes) guard(random, route, has_test_keys);
  return settings;
}

ReferenceCaller random_caller(Random& random) {
  using Found = Caller::Found;
  using State = KeyAnswer::State;
  ReferenceCaller caller;
  caller.found = one_of<Found>(random, {Found::nothing, Found::ambiguous, Found::malformed, Found::could_not_find_out,
                                        Found::over_budget, Found::answered, Found::answered, Found::answered,
                                        Found::answered, Found::answered, Found::answered, Found::answered});
  if (caller.found != Found::answered) return caller;
  caller.kind = one_of<CredentialKind>(
      random, {CredentialKind::api_key, CredentialKind::api_key, CredentialKind::session, CredentialKind::admin});
  caller.state = one_of<State>(random, {State::valid, State::valid, State::valid, State::valid, State::valid,
                                        State::unknown, State::revoked, State::disabled, State::expired});
  caller.organization = one_of<std::string>(random, {"a", "b", "c", ""});
  caller.prefix_environment = one_of<std::string>(random, {"", "live", "test"});
  caller.said_environment = one_of<std::string>(random, {"", "live", "test"});
  caller.granted = some_of<std::string>(random, {"a:r", "a:w", "b:r", "b:w", "root", "*", "a:*", "gone"}, 3);
  caller.is_expired = below(random, 10) == 0;
  caller.is_cross_site = caller.kind == CredentialKind::session && below(random, 5) == 0;
  return caller;
}

Environment environment_of(const std::string& word) {
  return word == "live" ? Environment::live : word == "test" ? Environment::test : Environment::none;
}

std::string decision_of(const config::Settings& settings, const Policy& policy, const Route* route,
                        const RequestTarget& target, const ReferenceCaller& asked) {
  KeyAnswer answer{asked.state,
                   {"key_1", asked.organization, "user_1", environment_of(asked.said_environment), asked.granted, {}}};
  if (asked.is_expired) answer.principal.expires_at = now;
  const Held held = policy.catalogue.expand(asked.granted);
  Caller caller;
  caller.found = asked.found;
  caller.kind = asked.kind;
  caller.prefix_environment = environment_of(asked.prefix_environment);
  caller.is_cross_site = asked.is_cross_site;
  if (asked.found == Caller::Found::answered) {
    caller.answer = &answer;
    caller.held = &held;
  }
  const auto decision = decide(policy, route, target, caller, now);
  if (const auto* denial = std::get_if<Denial>(&decision)) return std::string(row(denial->reason).code);
  return "ok " + settings.upstreams[std::get<Grant>(decision).upstream()].name;
}

TEST(Decide, AgreesWithTheRulesAsTheyAreWritten) {
  Random random(31);
  const std::size_t enough = testing::property_cases(100'000);
  std::map<std::string, std::size_t> codes;
  for (std::size_t asked_in_all = 0; asked_in_all < enough;) {
    const auto settings = random_settings(random);
    const auto policy = testing::compiled(settings);
    ASSERT_NE(policy, nullptr);
    const auto catalogue = testing::reference_catalogue(settings.policy.scopes);
    for (int i = 0; i < 40; ++i, ++asked_in_all) {
      const auto asked = testing::random_request(random);
      const auto caller = random_caller(random);
      const auto expected = testing::reference_winner(settings.policy.routes, asked);
      const config::RouteDocument* document = nullptr;
      for (const auto& route : settings.policy.routes) {
        if (route.name.value == expected.name) document = &route;
      }
      const testing::TargetText text(asked.target);
      const MatchInput input{asked.host, asked.method, text.target(), asked.headers};
      const Route* const route = policy->table.match(input);
      ASSERT_EQ(route == nullptr ? "" : route->name, expected.name) << asked.host << ' ' << asked.target;
      const auto due = testing::reference_decision(document, catalogue, asked.target, caller);
      ASSERT_EQ(decision_of(settings, *policy, route, *text.target(), caller), due)
          << expected.name << ' ' << asked.host << ' ' << to_string(asked.method) << ' ' << asked.target;
      ++codes[due];
      if (i % 8 == 0) {
        ASSERT_EQ(explain_match(*policy, input).winner, route);
      }
    }
  }
  // Each way to end is met, or nothing was held against anything.
  for (const char* code : {"ok app", "ok sandbox", "no_route", "missing_credential", "insufficient_scope",
                           "wrong_organization", "wrong_environment", "credential_not_accepted", "cross_site",
                           "invalid_session", "revoked_key", "expired_key", "key_service_unavailable"}) {
    EXPECT_GT(codes[code], 0U) << code;
  }
}

}  // namespace
}  // namespace keygate::policy
