// The route table against a matcher that is nothing but the rules: every criterion asked of every route, and the ranks
// of those that match compared from the first to the last.
#include "policy/policy.hpp"
#include "tests/unit/policy/builders.hpp"
#include "tests/unit/policy/random_policies.hpp"
#include "tests/unit/policy/reference_matcher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace keygate::policy {
namespace {

using testing::below;
using testing::property_scale;
using testing::Random;
using testing::random_request;
using testing::random_route;
using testing::random_routes;
using testing::reference_overlap;
using testing::reference_winner;
using testing::settings_with;
using testing::winner;

bool any_overlap(const std::vector<config::RouteDocument>& routes) {
  for (auto a = routes.begin(); a != routes.end(); ++a) {
    if (std::any_of(routes.begin(), a, [&](const auto& b) { return reference_overlap(a->match, b.match); }))
      return true;
  }
  return false;
}

TEST(RouteTable, AgreesWithTheRulesAsTheyAreWritten) {
  Random random(4);
  std::size_t asked_in_all = 0;
  std::size_t matched = 0;
  const std::size_t enough = testing::property_cases(100'000);
  while (asked_in_all < enough) {
    const auto routes = random_routes(random, 12);
    const auto policy = testing::compiled(settings_with(routes));
    ASSERT_NE(policy, nullptr);
    for (int i = 0; i < 25; ++i, ++asked_in_all) {
      const auto asked = random_request(random);
      const auto expected = reference_winner(routes, asked);
      if (!expected.name.empty()) ++matched;
      ASSERT_FALSE(expected.is_tied) << "two routes of one rank at " << asked.target;
      ASSERT_EQ(winner(policy->table, asked), expected.name)
          << asked.host << ' ' << to_string(asked.method) << ' ' << asked.target;
    }
  }
  EXPECT_GT(matched, enough / 10);  // or the requests have drifted away from the routes
}

TEST(RouteTable, FindsOverlapsExactlyWhereTheRulesDo) {
  Random random(5);
  std::size_t overlapping = 0;
  const unsigned rounds = 4'000 / property_scale;
  for (unsigned round = 0; round < rounds; ++round) {
    std::vector<config::RouteDocument> routes;
    const auto count = 4 + below(random, 24);
    for (std::size_t number = 0; number < count; ++number) routes.push_back(random_route(random, number));
    const bool expected = any_overlap(routes);
    if (expected) ++overlapping;
    const auto result = compile(settings_with(routes));
    ASSERT_EQ(result.policy == nullptr, expected);
    for (const auto& problem : result.problems) ASSERT_TRUE(problem.message.starts_with("overlaps")) << problem.message;
  }
  EXPECT_GT(overlapping, rounds / 20);
  EXPECT_LT(overlapping, rounds - rounds / 20);
}

}  // namespace
}  // namespace keygate::policy
