// The route table against the matcher that is nothing but the rules, on random policies and requests.
#include "policy/policy.hpp"
#include "tests/unit/policy/builders.hpp"
#include "tests/unit/policy/reference_matcher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace keygate::policy {
namespace {

using testing::Asked;
using testing::is_parameter;
using testing::is_rest;
using testing::open_route;
using testing::property_scale;
using testing::reference_winner;
using testing::settings_with;
using testing::split;
using testing::winner;

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t bound) { return random() % bound; }

template <class T>
const T& one_of(Random& random, const std::vector<T>& choices) {
  return choices[below(random, choices.size())];
}

bool reference_overlap(const config::MatchDocument& a, const config::MatchDocument& b) {
  const auto values = [](const std::vector<config::Text>& texts) {
    std::set<std::string> result;
    for (const auto& text : texts) result.insert(text.value);
    if (result.empty()) result.insert("any");
    return result;
  };
  const auto meet = [](const std::set<std::string>& x, const std::set<std::string>& y) {
    return std::any_of(x.begin(), x.end(), [&](const auto& word) { return y.contains(word); });
  };
  const auto shape = [](const std::string& path) {
    auto segments = split(path);
    for (auto& segment : segments) {
      if (is_rest(segment)) segment = "{...}";
      if (is_parameter(segment)) segment = "{}";
    }
    return segments;
  };
  const bool contradict = std::any_of(a.headers.begin(), a.headers.end(), [&](const auto& x) {
    return std::any_of(b.headers.begin(), b.headers.end(),
                       [&](const auto& y) { return x.name.value == y.name.value && x.value.value != y.value.value; });
  });
  return meet(values(a.hosts), values(b.hosts)) && shape(a.path.value) == shape(b.path.value) &&
         meet(values(a.methods), values(b.methods)) && a.headers.size() == b.headers.size() && !contradict;
}

bool any_overlap(const std::vector<config::RouteDocument>& routes) {
  for (auto a = routes.begin(); a != routes.end(); ++a) {
    if (std::any_of(routes.begin(), a, [&](const auto& b) { return reference_overlap(a->match, b.match); }))
      return true;
  }
  return false;
}

template <class T>
std::vector<T> some_of(Random& random, const std::vector<T>& choices, std::size_t at_most) {
  std::set<T> result;
  for (auto count = below(random, at_most + 1); count > 0; --count) result.insert(one_of(random, choices));
  return {result.begin(), result.end()};
}

config::RouteDocument random_route(Random& random, std::size_t number) {
  std::string path;
  const auto depth = below(random, 4);
  for (std::size_t i = 0; i < depth; ++i) {
    path += '/' + one_of<std::string>(random,
                                      {"a", "b", "c", "{p" + std::to_string(i) + "}", "{q" + std::to_string(i) + "}"});
  }
  if (below(random, 4) == 0) path += "/{rest...}";
  if (path.empty()) path = "/";
  auto route = open_route("r" + std::to_string(number), path);
  route.hosts(some_of<std::string>(random, {"x.org", "a.x.org", "*.x.org", "*.org", "*.a.x.org"}, 2));
  route.methods(some_of<std::string>(random, {"GET", "HEAD", "PUT"}, 2));
  for (const auto& name : some_of<std::string>(random, {"x-a", "x-b"}, 2)) {
    route.header(name, one_of<std::string>(random, {"1", "2"}));
  }
  return route;
}

Asked random_request(Random& random) {
  Asked asked;
  asked.host = one_of<std::string>(random, {"", "org", "x.org", "a.x.org", "b.x.org", "b.a.x.org", "y.org", "xx.org"});
  asked.method = one_of<Method>(random, {Method::get, Method::head, Method::put, Method::post});
  const auto depth = below(random, 5);
  for (std::size_t i = 0; i < depth; ++i)
    asked.target += (i == 0 ? "" : "/") + one_of<std::string>(random, {"a", "b", "c", "d"});
  if (depth > 0 && below(random, 4) == 0) asked.target += '/';
  for (auto count = below(random, 4); count > 0; --count) {
    asked.headers.push_back(one_of<HeaderField>(random, {{"x-a", "1"}, {"x-a", "2"}, {"x-b", "1"}, {"x-c", "1"}}));
  }
  return asked;
}

TEST(RouteTable, AgreesWithTheRulesAsTheyAreWritten) {
  Random random(4);
  std::size_t asked_in_all = 0;
  std::size_t matched = 0;
  const std::size_t enough = 100'000 / property_scale;
  while (asked_in_all < enough) {
    std::vector<config::RouteDocument> routes;
    const auto count = 1 + below(random, 12);
    for (std::size_t number = 0; number < count; ++number) {
      auto route = random_route(random, number);
      const bool overlaps = std::any_of(routes.begin(), routes.end(),
                                        [&](const auto& other) { return reference_overlap(route.match, other.match); });
      if (!overlaps) routes.push_back(std::move(route));
    }
    const auto policy = testing::compiled(settings_with(routes));
    ASSERT_NE(policy, nullptr);
    for (int i = 0; i < 25; ++i, ++asked_in_all) {
      const auto asked = random_request(random);
      const auto expected = reference_winner(routes, {asked.host, asked.method, asked.target, asked.headers});
      EXPECT_FALSE(expected.is_tied) << "two routes of one rank at " << asked.target;
      if (!expected.name.empty()) ++matched;
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
