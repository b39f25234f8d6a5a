// A route in shadow mode: what is let through, what never is, and how it ends.
#include "policy/decide.hpp"
#include "tests/unit/policy/builders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace keygate::policy {
namespace {

using testing::compiled;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::keyed;
using testing::open_route;
using testing::rendered;
using testing::RouteBuilder;
using testing::scope;
using testing::settings_with;
using testing::TargetText;
using testing::text;

constexpr std::int64_t day = 24 * 60 * 60;
constexpr std::int64_t now = 1'699'920'000;  // 2023-11-14, as it begins
constexpr std::int64_t until = now + 10 * day;

RouteBuilder shadow(RouteBuilder route, const std::string& date = "2023-11-24") {
  return route.with([&](config::RouteDocument& document) {
    document.mode = text("shadow", 30);
    document.until = text(date, 31);
  });
}

std::shared_ptr<const Policy> the_policy() {
  auto settings = settings_with(
      {shadow(RouteBuilder("read", "/o/{org}").all({"projects:read"}).organization("{org}").upstream("app")),
       shadow(keyed("live", "/live").environment("live").upstream("app")),
       shadow(keyed("map", "/map").live("app").test("sandbox"))},
      {scope("projects:read"), scope("admin", {.restricted = true})});
  settings.upstreams.emplace_back().name = "sandbox";
  return compiled(settings);
}

class Shadow : public ::testing::Test {
 protected:
  Shadow() {
    caller.found = Caller::Found::answered;
    caller.kind = CredentialKind::api_key;
    answer.state = KeyAnswer::State::valid;
    answer.principal = {"key_1", "org_1", "user_1", Environment::none, {"projects:read"}, {}};
  }

  Decision decision(const std::string& path, std::int64_t at = now) {
    target.emplace(path);
    held = policy->catalogue.expand(answer.principal.granted);
    caller.answer = caller.found == Caller::Found::answered ? &answer : nullptr;
    caller.held = caller.answer != nullptr ? &held : nullptr;
    return decide(*policy, policy->table.match({"", Method::get, target->target(), {}}), *target->target(), caller, at);
  }

  // "ok"; "shadowed CODE as somebody", "… as nobody"; "denied CODE".
  std::string outcome(const std::string& path, std::int64_t at = now) {
    const auto result = decision(path, at);
    if (const auto* denial = std::get_if<Denial>(&result)) return "denied " + std::string(row(denial->reason).code);
    const auto& grant = std::get<Grant>(result);
    if (grant.shadowed() == Reason::ok) return "ok";
    return "shadowed " + std::string(row(grant.shadowed()).code) +
           (grant.principal() == nullptr ? " as nobody" : " as somebody");
  }

  std::string without(Caller::Found found, const std::string& path = "/o/org_1") {
    caller.found = found;
    caller.kind = CredentialKind::none;
    return outcome(path);
  }

  std::string in_state(KeyAnswer::State state) {
    answer.state = state;
    return outcome("/o/org_1");
  }

  std::shared_ptr<const Policy> policy = the_policy();
  Caller caller;
  KeyAnswer answer;
  Held held;
  std::optional<TargetText> target;
};

TEST_F(Shadow, GrantsAsEverWhereNothingIsAmiss) { EXPECT_EQ(outcome("/o/org_1"), "ok"); }

TEST_F(Shadow, LetsThroughWhoIsNobodyWithoutAName) {
  using Found = Caller::Found;
  EXPECT_EQ(without(Found::nothing), "shadowed missing_credential as nobody");
  EXPECT_EQ(without(Found::malformed), "shadowed malformed_key as nobody");
}

TEST_F(Shadow, LetsThroughKeysThatAreNoMoreWithoutTheirName) {
  using State = KeyAnswer::State;
  EXPECT_EQ(in_state(State::unknown), "shadowed invalid_key as nobody");
  EXPECT_EQ(in_state(State::revoked), "shadowed revoked_key as nobody");
  EXPECT_EQ(in_state(State::disabled), "shadowed disabled_key as nobody");
  EXPECT_EQ(in_state(State::expired), "shadowed expired_key as nobody");
  answer.principal.expires_at = now;
  EXPECT_EQ(in_state(State::valid), "shadowed expired_key as nobody");
}

TEST_F(Shadow, LetsThroughWhoLacksSomethingByName) {
  EXPECT_EQ(outcome("/o/org_2"), "shadowed wrong_organization as somebody");
  answer.principal.granted = {"other"};
  EXPECT_EQ(outcome("/o/org_1"), "shadowed insufficient_scope as somebody");
  caller.kind = CredentialKind::session;
  EXPECT_EQ(outcome("/o/org_1"), "shadowed credential_not_accepted as somebody");
}

TEST_F(Shadow, LetsAnotherSitesPageThroughWithoutItsUsersName) {
  caller.is_cross_site = true;
  EXPECT_EQ(outcome("/o/org_1"), "shadowed cross_site as nobody");
  // Nor where something else is said to be amiss before that is looked at.
  caller.kind = CredentialKind::session;
  EXPECT_EQ(outcome("/o/org_1"), "shadowed credential_not_accepted as nobody");
}

TEST_F(Shadow, NeverLetsThroughWhatIsNotTheCallers) {
  using Found = Caller::Found;
  EXPECT_EQ(without(Found::ambiguous), "denied ambiguous_credential");
  EXPECT_EQ(without(Found::could_not_find_out), "denied key_service_unavailable");
  EXPECT_EQ(without(Found::over_budget), "denied too_many_unknown_keys");
  EXPECT_EQ(without(Found::nothing, "/none"), "denied no_route");
}

TEST_F(Shadow, NeverBlursLiveAndTest) {
  answer.principal.environment = Environment::test;
  EXPECT_EQ(outcome("/live"), "denied wrong_environment");
  answer.principal.environment = Environment::none;
  EXPECT_EQ(outcome("/live"), "denied wrong_environment");
  EXPECT_EQ(outcome("/map"), "denied wrong_environment");
  EXPECT_EQ(without(Caller::Found::nothing, "/live"), "denied missing_credential");
  EXPECT_EQ(without(Caller::Found::nothing, "/map"), "denied missing_credential");
}

TEST_F(Shadow, KnowsTheEnvironmentOfARevokedKeyByItsPrefix) {
  answer.state = KeyAnswer::State::revoked;
  EXPECT_EQ(outcome("/map"), "denied revoked_key");
  caller.prefix_environment = Environment::test;
  EXPECT_EQ(outcome("/live"), "denied revoked_key");
  const auto result = decision("/map");
  ASSERT_NE(std::get_if<Grant>(&result), nullptr);
  EXPECT_EQ(std::get<Grant>(result).upstream(), 1U);
  EXPECT_EQ(std::get<Grant>(result).shadowed(), Reason::revoked_key);
}

TEST_F(Shadow, NeverLetsAnAdminSecretThroughThatIsNotNamed) {
  caller.kind = CredentialKind::admin;
  EXPECT_EQ(outcome("/o/org_1"), "denied credential_not_accepted");
}

TEST_F(Shadow, EndsWithTheSecond) {
  caller.found = Caller::Found::nothing;
  caller.kind = CredentialKind::none;
  EXPECT_EQ(outcome("/o/org_1", until - 1), "shadowed missing_credential as nobody");
  EXPECT_EQ(outcome("/o/org_1", until), "denied missing_credential");
}

std::vector<std::string> told(const config::RouteDocument& route, std::int64_t at = now) {
  auto settings = settings_with({route}, {scope("projects:read"), scope("admin", {.restricted = true})});
  settings.credentials.admin_secrets.emplace_back().name = "ops";
  return rendered(compile(settings, at).problems);
}

TEST(ShadowMode, IsSaidAtEachLoad) {
  EXPECT_THAT(
      told(shadow(keyed("a", "/a"))),
      ElementsAre("policy.yaml:30:1: warning: routes[0].mode: the route is open until 2023-11-24: whom it would "
                  "refuse is let through"));
  EXPECT_THAT(
      told(shadow(keyed("a", "/a")), until),
      ElementsAre("policy.yaml:31:1: warning: routes[0].until: shadow mode is over, and the route refuses again; "
                  "take mode and until out"));
}

TEST(ShadowMode, LastsThirtyDaysAtMost) {
  EXPECT_THAT(rendered(compile(settings_with({shadow(keyed("a", "/a"), "2023-12-14")}), now).problems),
              ::testing::SizeIs(1));
  EXPECT_THAT(
      told(shadow(keyed("a", "/a"), "2023-12-15")),
      ElementsAre("policy.yaml:31:1: routes[0].until: \"2023-12-15\" is more than 30 days from now; shadow mode "
                  "is for a first look; write an earlier date"));
}

TEST(ShadowMode, IsForNoRouteThatMustStayShut) {
  EXPECT_THAT(told(shadow(open_route("a", "/a"))),
              ElementsAre("policy.yaml:30:1: routes[0].mode: an anonymous route refuses nobody, so there is nothing to "
                          "let through; leave out mode"));
  EXPECT_THAT(told(shadow(RouteBuilder("a", "/a").any({"projects:read", "admin"}))),
              ElementsAre("policy.yaml:30:1: routes[0].mode: the route needs \"admin\", which is restricted: it cannot "
                          "be let open; leave out mode"));
  EXPECT_THAT(
      told(shadow(RouteBuilder("a", "/a").credentials({"api_key", "admin"}))),
      ElementsAre("policy.yaml:30:1: routes[0].mode: a route that takes admin secrets cannot be let open; leave "
                  "out mode"));
}

TEST(ShadowMode, SaysWhenItEnds) {
  const auto with = [](std::optional<config::Text> mode, std::optional<config::Text> end) {
    auto route = keyed("a", "/a");
    return told(route.with([&](config::RouteDocument& document) {
      document.mode = std::move(mode);
      document.until = std::move(end);
    }));
  };
  EXPECT_THAT(
      with(text("shadow", 30), {}),
      ElementsAre("policy.yaml:30:1: routes[0].mode: does not say when it ends; write until: and a date, 30 days "
                  "from now at most"));
  EXPECT_THAT(
      with(text("shadow", 30), text("tomorrow", 31)),
      ElementsAre("policy.yaml:31:1: routes[0].until: \"tomorrow\" is no date; write year, month and day, as in "
                  "2026-12-31"));
  EXPECT_THAT(
      with({}, text("2023-11-24", 31)),
      ElementsAre("policy.yaml:31:1: routes[0].until: says when shadow mode ends, and there is none; write mode: "
                  "shadow, or leave it out"));
  EXPECT_THAT(with(text("enforce", 30), {}), IsEmpty());
}

}  // namespace
}  // namespace keygate::policy
