// What explain says has to change, and that it does when it is done.
#include "policy/remedy.hpp"

#include "tests/unit/policy/builders.hpp"
#include "tests/unit/policy/random_policies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keygate::policy {
namespace {

using testing::below;
using testing::compiled;
using ::testing::ElementsAre;
using testing::open_route;
using testing::RouteBuilder;
using testing::scope;
using testing::settings_with;
using testing::TargetText;

struct Holder {
  std::vector<std::string> granted = {};
  std::string organization = "acme";
  Environment environment = Environment::none;
};

// One request by one key, decided and explained.
struct Refusal {
  Refusal(std::shared_ptr<const Policy> rules, Method method, const std::string& path, const Holder& holder)
      : policy(std::move(rules)), text(path), input{"", method, text.target(), {}} {
    answer.state = KeyAnswer::State::valid;
    answer.principal.key_id = "key_1";
    answer.principal.organization = holder.organization;
    answer.principal.environment = holder.environment;
    answer.principal.granted = holder.granted;
    held = policy->catalogue.expand(holder.granted);
    caller.found = Caller::Found::answered;
    caller.kind = CredentialKind::api_key;
    caller.answer = &answer;
    caller.held = &held;
    found = explain_match(*policy, input);
    const auto decision = decide(*policy, found.winner, *text.target(), caller, 0);
    if (const auto* denial = std::get_if<Denial>(&decision)) reason = denial->reason;
  }
  Refusal(const Refusal&) = delete;
  Refusal& operator=(const Refusal&) = delete;

  std::vector<std::string> lines() const { return remedies({*policy, input, found, caller, reason}); }

  std::shared_ptr<const Policy> policy;
  TargetText text;
  MatchInput input;
  KeyAnswer answer;
  Held held;
  Caller caller;
  Candidates found;
  Reason reason = Reason::ok;
};

std::vector<config::ScopeDocument> scopes() {
  return {scope("a:read"), scope("a:write", {.implies = {"a:read"}}), scope("b:read"),
          scope("root", {.restricted = true})};
}

std::shared_ptr<const Policy> small_policy() {
  return compiled(
      settings_with({RouteBuilder("read", "/a", 10).methods({"GET"}).all({"a:read"}),
                     RouteBuilder("write", "/a", 30).methods({"PUT"}).all({"a:write"}).any({"b:read", "root"}),
                     RouteBuilder("root", "/root", 50).all({"root"}),
                     RouteBuilder("orgs", "/orgs/{org}", 70).all({"a:read"}).organization("{org}"),
                     RouteBuilder("live", "/live", 90).all({"a:read"}).environment("live")},
                    scopes()));
}

TEST(Remedy, SaysWhichScopesAreNeededAndHeld) {
  EXPECT_THAT(Refusal(small_policy(), Method::put, "/a", {.granted = {"a:read"}}).lines(),
              ElementsAre("needs a:write and one of b:read or root; the key holds a:read"));
  EXPECT_THAT(Refusal(small_policy(), Method::put, "/a", {.granted = {"a:write"}}).lines(),
              ElementsAre("needs one of b:read or root; the key holds a:read and a:write"));
  EXPECT_THAT(Refusal(small_policy(), Method::get, "/a", {.granted = {"c:read"}}).lines(),
              ElementsAre("needs a:read; the key holds no scope of the catalogue"));
  EXPECT_THAT(Refusal(small_policy(), Method::get, "/root", {.granted = {"*"}}).lines(),
              ElementsAre("needs root; the key holds a:read, a:write and b:read",
                          "root is restricted: no wildcard brings it, it has to be granted by name"));
}

TEST(Remedy, SaysWhoseThePathIsAndWhoseTheKey) {
  EXPECT_THAT(Refusal(small_policy(), Method::get, "/orgs/globex", {.granted = {"a:read"}}).lines(),
              ElementsAre("the path names \"globex\", the key belongs to \"acme\""));
  EXPECT_THAT(
      Refusal(small_policy(), Method::get, "/live", {.granted = {"a:read"}, .environment = Environment::test}).lines(),
      ElementsAre("the route is open to live keys; this one is for test"));
}

TEST(Remedy, NamesTheRouteThatIsNearest) {
  EXPECT_THAT(Refusal(small_policy(), Method::delete_, "/a", {}).lines(),
              ElementsAre("nearly read: it takes GET, this is DELETE", "nearly write: it takes PUT, this is DELETE"));
  EXPECT_THAT(Refusal(small_policy(), Method::get, "/rot", {}).lines(),
              ElementsAre("the nearest is root: its path is /root; did you mean \"root\"?"));
  EXPECT_THAT(Refusal(small_policy(), Method::get, "/elsewhere", {}).lines(),
              ElementsAre("no route has a path that covers this one"));
  const auto literal = compiled(settings_with({open_route("literal", "/a:b", 10), open_route("any", "/{x}", 30)}));
  EXPECT_THAT(
      Refusal(literal, Method::get, "/a%3Ab", {}).lines(),
      ElementsAre(
          "the path spells a segment of literal at policy.yaml:10 in another way: send it as the route has it"));
}

// Whatever is said to be missing is enough: with it, the same key is no longer short of a scope.
TEST(Remedy, WhatIsMissingIsEnough) {
  testing::Random random(11);
  const std::vector<std::string> all{"a:read", "a:write", "b:read", "root"};
  std::size_t refused = 0;
  for (int round = 0; round < 300; ++round) {
    auto route = RouteBuilder("r", "/a");
    route.credentials({"api_key"});
    const auto needed = testing::some_of(random, all, 3);
    const auto choice = testing::some_of(random, all, 2);
    if (!needed.empty()) route.all(needed);
    if (!choice.empty()) route.any(choice);
    const auto policy = compiled(settings_with({route}, scopes()));
    Holder holder{.granted = testing::some_of<std::string>(random, {"a:read", "a:write", "b:read", "*", "a:*"}, 2)};
    const Refusal before(policy, Method::get, "/a", holder);
    if (before.reason != Reason::insufficient_scope) continue;
    ++refused;
    const auto& rule = *before.found.winner;
    for (const auto& name : names_of(policy->catalogue, missing_scopes(rule.all_scopes, before.held.set))) {
      holder.granted.push_back(name);
    }
    if (!rule.any_scopes.empty()) holder.granted.push_back(names_of(policy->catalogue, rule.any_scopes).front());
    EXPECT_EQ(Refusal(policy, Method::get, "/a", holder).reason, Reason::ok) << before.lines().front();
  }
  EXPECT_GT(refused, 50U);
}

}  // namespace
}  // namespace keygate::policy
