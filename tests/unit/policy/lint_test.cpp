#include "policy/lint.hpp"

#include "tests/unit/policy/builders.hpp"
#include "tests/unit/policy/random_policies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace keygate::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::keyed;
using testing::open_route;
using testing::RouteBuilder;
using testing::scope;
using testing::settings_with;

FindingList found_in(const config::Settings& settings) { return lint(settings, *testing::compiled(settings)); }

// "code route", notes left out.
std::vector<std::string> warnings(std::vector<config::RouteDocument> routes,
                                  std::vector<config::ScopeDocument> scopes = {}) {
  std::vector<std::string> lines;
  for (const Finding& finding : found_in(settings_with(std::move(routes), std::move(scopes)))) {
    if (finding.weight == Finding::Weight::note) continue;
    lines.push_back(std::string(finding.code) + (finding.route.empty() ? "" : " " + finding.route));
  }
  return lines;
}

TEST(Lint, ARouteForAnyMethodIsShadowedWhereAllAreNamed) {
  const auto all = open_route("named", "/a/{x}").methods({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"});
  EXPECT_THAT(warnings({open_route("any", "/a/{y}", 30), all}), ElementsAre("never-matches any"));
  const auto but_head = open_route("named", "/a/{x}").methods({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"});
  EXPECT_THAT(warnings({open_route("any", "/a/{y}", 30), but_head}),
              ElementsAre("never-matches any"));  // by way of GET
  const auto most = open_route("named", "/a/{x}").methods({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"});
  EXPECT_THAT(warnings({open_route("any", "/a/{y}", 30), most}), IsEmpty());
}

TEST(Lint, ARestIsShadowedByTheEndAndWhatLiesBelowIt) {
  const auto rest = open_route("rest", "/a/{x...}", 50).methods({"GET"});
  const auto end = open_route("end", "/a").methods({"GET"});
  const auto below = open_route("below", "/a/{x}/{y...}", 30).methods({"GET"});
  EXPECT_THAT(warnings({rest, end, below}), ElementsAre("never-matches rest"));
  EXPECT_THAT(warnings({rest, below}), IsEmpty());
  EXPECT_THAT(warnings({rest, end, open_route("below", "/a/{x}", 30).methods({"GET"})}), IsEmpty());
  EXPECT_THAT(warnings({open_route("rest", "/a/{x...}", 50).methods({"GET", "PUT"}), end, below}),
              ElementsAre("partly-shadowed rest"));
}

TEST(Lint, AHostOfItsOwnIsNeverShadowedByAnotherOne) {
  EXPECT_THAT(warnings({open_route("any", "/a"), open_route("wild", "/a", 30).hosts({"*.example.com"}),
                        open_route("exact", "/a", 50).hosts({"sample.example.com"})}),
              IsEmpty());
}

TEST(Lint, ANamedMethodGoesBeforeConditionsOnHeaders) {
  const auto plain = open_route("plain", "/a").methods({"GET"});
  EXPECT_THAT(warnings({plain, open_route("beta", "/a", 30).header("x-beta", "1")}),
              ElementsAre("partly-shadowed beta"));
  EXPECT_THAT(warnings({plain, open_route("beta", "/a", 30).header("x-beta", "1").methods({"GET"})}), IsEmpty());
  EXPECT_THAT(warnings({plain, open_route("others", "/a", 30)}), IsEmpty());
}

// Routes that shadow each other often: no hosts, few shapes, few methods.
std::vector<config::RouteDocument> crowded_routes(testing::Random& random) {
  std::vector<config::RouteDocument> routes;
  for (std::size_t number = 0; number < 14; ++number) {
    const auto path = testing::one_of<std::string>(
        random, {"/", "/{p}", "/a", "/{r...}", "/a/{r...}", "/{p}/{r...}", "/a/{p}", "/a/{p}/{r...}"});
    auto route = open_route("r" + std::to_string(number), path);
    route.methods(testing::some_of<std::string>(random, {"GET", "HEAD", "PUT"}, 3));
    if (testing::below(random, 4) == 0) route.header("x-a", "1");
    const config::RouteDocument made = route;
    const bool overlaps = std::ranges::any_of(
        routes, [&](const auto& other) { return testing::reference_overlap(made.match, other.match); });
    if (!overlaps) routes.push_back(made);
  }
  return routes;
}

// No request comes to a route of which lint says so.
TEST(Lint, SaysNeverOnlyOfRoutesThatNoRequestReaches) {
  testing::Random random(21);
  std::size_t shadowed = 0;
  for (unsigned round = 0; round < 1'500 / testing::property_scale; ++round) {
    const auto settings = settings_with(crowded_routes(random));
    const auto policy = testing::compiled(settings);
    std::set<std::string> never;
    for (const Finding& finding : lint(settings, *policy)) {
      if (finding.code == "never-matches") never.insert(finding.route);
    }
    shadowed += never.size();
    for (int i = 0; i < 60; ++i) {
      const auto asked = testing::random_request(random);
      const auto won = testing::reference_winner(settings.policy.routes, asked).name;
      ASSERT_FALSE(never.contains(won)) << won << " has " << asked.host << ' ' << asked.target;
    }
  }
  EXPECT_GT(shadowed, 0U);
}

TEST(Lint, AScopeThatNoRouteRequiresIsNamedWhereItStands) {
  const auto settings = settings_with({RouteBuilder("r", "/a").methods({"GET"}).all({"a:read"})},
                                      {scope("a:read"), scope("b:read", {}, 3), scope("all", {false, {"a:read"}}, 4),
                                       scope("none", {false, {"b:read"}}, 5)});
  const auto found = found_in(settings);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].code, "scope-never-required");
  EXPECT_EQ(found[0].where.line, 3);
  EXPECT_THAT(found[0].message, HasSubstr("\"b:read\""));
  EXPECT_THAT(found[1].message, HasSubstr("\"none\", nor what it implies"));
}

TEST(Lint, AWriteThatAReadScopeOpensIsOne) {
  const std::vector<config::ScopeDocument> scopes{scope("a:read"), scope("a:write")};
  const auto one = [&](RouteBuilder route) {
    route.any({"a:read", "a:write"});
    return warnings({route, RouteBuilder("keep", "/keep", 90).all({"a:read", "a:write"})}, scopes);
  };
  EXPECT_THAT(one(RouteBuilder("r", "/a").methods({"GET", "HEAD"})), IsEmpty());
  EXPECT_THAT(one(RouteBuilder("r", "/a").methods({"POST"})), ElementsAre("write-by-read-scope r"));
  EXPECT_THAT(one(RouteBuilder("r", "/a").methods({"DELETE"}).all({"a:write"})), IsEmpty());
  EXPECT_THAT(one(RouteBuilder("r", "/a")), ElementsAre("write-by-read-scope r"));  // any method is one that writes
}

TEST(Lint, AnyCredentialIsANote) {
  const auto found = found_in(settings_with({keyed("r", "/a"), keyed("o", "/o/{org}", 30).organization("{org}")}));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].code, "any-credential");
  EXPECT_EQ(found[0].weight, Finding::Weight::note);
  EXPECT_EQ(found[0].route, "r");
}

}  // namespace
}  // namespace keygate::policy
