// Explain against the engine, and against the rules as they are written.
#include "policy/explain.hpp"

#include "policy/criteria_text.hpp"
#include "tests/unit/policy/builders.hpp"
#include "tests/unit/policy/random_policies.hpp"
#include "tests/unit/policy/reference_matcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace keygate::policy {
namespace {

using testing::Asked;
using testing::compiled;
using ::testing::ElementsAre;
using testing::keyed;
using testing::open_route;
using testing::property_scale;
using testing::Rank;
using testing::scope;
using testing::settings_with;
using testing::TargetText;

// Explains `asked` under `routes`; keeps what the result views.
struct Asking {
  Asking(std::vector<config::RouteDocument> documents, const Asked& asked)
      : policy(compiled(settings_with(std::move(documents)))),
        text(asked.target),
        headers(asked.headers),
        host(asked.host),
        found(explain_match(*policy, {host, asked.method, text.target(), headers})) {}

  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& candidate : found.all) result.push_back(candidate.route->name);
    return result;
  }
  const Candidate& named(const std::string& name) const {
    return *std::ranges::find(found.all, name, [](const Candidate& each) { return each.route->name; });
  }

  std::shared_ptr<const Policy> policy;
  TargetText text;
  std::vector<HeaderField> headers;
  std::string host;
  Candidates found;
};

// The first part of two ranks that is not the same.
Criterion first_difference(const Rank& a, const Rank& b) {
  if (std::get<0>(a) != std::get<0>(b)) return Criterion::host;
  if (std::get<1>(a) != std::get<1>(b)) return Criterion::path;
  return std::get<2>(a) != std::get<2>(b) ? Criterion::method : Criterion::headers;
}

void expect_criteria(const Candidate& candidate, const config::MatchDocument& match, const Asked& asked) {
  EXPECT_EQ(candidate.host, testing::host_rank(match, asked.host).has_value());
  EXPECT_EQ(candidate.path, testing::path_rank(match.path.value, asked.target).has_value());
  EXPECT_EQ(candidate.method, testing::method_rank(match, asked.method).has_value());
  for (std::size_t i = 0; i < match.headers.size(); ++i) {
    config::MatchDocument one;
    one.headers.push_back(match.headers[i]);
    EXPECT_EQ(candidate.headers[i], testing::headers_match(one, asked.headers));
  }
}

TEST(Explain, AgreesWithTheTableAndWithTheRules) {
  testing::Random random(9);
  std::size_t contested = 0;
  const std::size_t policies = 1'500 / property_scale;
  for (std::size_t round = 0; round < policies; ++round) {
    const auto routes = testing::random_routes(random, 12);
    for (int i = 0; i < 10; ++i) {
      const auto asked = testing::random_request(random);
      const Asking asking(routes, asked);
      const Route* const winner =
          asking.policy->table.match({asked.host, asked.method, asking.text.target(), asked.headers});
      ASSERT_EQ(asking.found.winner, winner);
      ASSERT_EQ(asking.found.all.size(), routes.size());
      EXPECT_EQ(asking.found.all.front().rank == 1 ? asking.found.all.front().route : nullptr, winner);
      std::optional<Rank> last;
      const auto first = testing::reference_rank(routes[asking.found.all.front().route->number].match, asked);
      for (const auto& candidate : asking.found.all) {
        const auto& match = routes[candidate.route->number].match;
        const auto rank = testing::reference_rank(match, asked);
        expect_criteria(candidate, match, asked);
        ASSERT_EQ(candidate.rank > 0, rank.has_value()) << candidate.route->name;
        ASSERT_EQ(candidate.missed == 0, rank.has_value()) << candidate.route->name;
        if (!rank) continue;
        if (last) {
          ++contested;
          EXPECT_LT(*rank, *last) << candidate.route->name << " ranks too low";
          ASSERT_EQ(candidate.lost_by, first_difference(*first, *rank)) << candidate.route->name;
        }
        last = rank;
      }
      if (HasFailure()) FAIL() << asked.host << ' ' << to_string(asked.method) << ' ' << asked.target;
    }
  }
  EXPECT_GT(contested, policies / 10);
}

TEST(Explain, NearMissesComeBeforeOthers) {
  auto get = open_route("get", "/a/{x}", 10);
  auto far = open_route("far", "/b/{x}", 30);
  auto beta = open_route("beta", "/a/{x}", 50);
  const Asking asking(
      {far.methods({"PUT"}).hosts({"b.org"}), beta.methods({"PUT"}).header("x-beta", "1"), get.methods({"GET"})},
      {.method = Method::put, .target = "/a/1"});
  EXPECT_EQ(asking.found.winner, nullptr);
  EXPECT_THAT(asking.names(), ElementsAre("beta", "get", "far"));
  EXPECT_EQ(asking.named("beta").missed, 1U);
  EXPECT_THAT(asking.named("beta").headers, ElementsAre(false));
  EXPECT_EQ(asking.named("far").missed, 2U);
}

TEST(Explain, ASlipInASegmentIsTold) {
  const Asking asking({open_route("other", "/v1/agents/{x}", 10), open_route("meant", "/v1/projects/{x}", 30)},
                      {.target = "/v1/project/7"});
  EXPECT_THAT(asking.names(), ElementsAre("meant", "other"));
  EXPECT_EQ(asking.named("meant").slip, "projects");
  EXPECT_EQ(asking.named("meant").depth, 1U);
  EXPECT_EQ(asking.named("other").slip, "");
}

// P-17: a:b and a%3Ab may be one name to an upstream, so neither governs the other's spelling.
TEST(Explain, NamesTheRouteWhoseSegmentIsSpelledInAnotherWay) {
  const Asking asking({open_route("literal", "/a:b", 10), open_route("parameter", "/{x}", 30)}, {.target = "/a%3Ab"});
  EXPECT_EQ(asking.found.winner, nullptr);
  ASSERT_NE(asking.found.respelled, nullptr);
  EXPECT_EQ(asking.found.respelled->name, "literal");
  EXPECT_EQ(asking.named("parameter").missed, 0U);
  EXPECT_EQ(asking.named("parameter").rank, 0U);
}

TEST(Explain, SaysWhatEachGrantBrings) {
  const auto policy =
      compiled(settings_with({keyed("all", "/{rest...}")}, {scope("a:read"), scope("a:write", {.implies = {"a:read"}}),
                                                            scope("b:read"), scope("root", {.restricted = true})}));
  const std::vector<std::string> granted{"a:write", "*", "b:raed"};
  const auto shares = explain_grants(policy->catalogue, granted);
  ASSERT_EQ(shares.size(), 3U);
  EXPECT_THAT(shares[0].scopes, ElementsAre(0U, 1U));
  EXPECT_THAT(shares[1].scopes, ElementsAre(0U, 1U, 2U));
  EXPECT_FALSE(shares[2].is_listed);
  EXPECT_THAT(shares[2].scopes, ElementsAre());
}

TEST(Explain, CriteriaReadAsTheyAreWritten) {
  auto route = open_route("r", "/a/{x}/{rest...}");
  const Asking asking({route.hosts({"API.example.com", "*.example.org"}).methods({"HEAD", "GET"}).header("x-b", "1")},
                      {});
  const auto& criteria = *asking.found.all.front().criteria;
  EXPECT_EQ(path_text(criteria), "/a/{x}/{rest...}");
  EXPECT_EQ(host_text(criteria), "api.example.com, *.example.org");
  EXPECT_EQ(method_text(criteria), "GET, HEAD");
  EXPECT_EQ(header_text(criteria.headers.front()), "x-b: 1");
  const Asking open({open_route("r", "/")}, {});
  EXPECT_EQ(path_text(*open.found.all.front().criteria), "/");
  EXPECT_EQ(host_text(*open.found.all.front().criteria), "any host");
  EXPECT_EQ(method_text(*open.found.all.front().criteria), "any method");
}

}  // namespace
}  // namespace keygate::policy
