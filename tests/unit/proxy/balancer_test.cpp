#include "proxy/balancer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace keygate::proxy {
namespace {

using config::Balance;

std::vector<std::size_t> choices(Balancer& balancer, const std::vector<Standing>& all, int count) {
  std::vector<std::size_t> made;
  for (int i = 0; i < count; ++i) made.push_back(balancer.choose(all).value());
  return made;
}

std::vector<std::size_t> shares(const std::vector<std::size_t>& made, std::size_t endpoints) {
  std::vector<std::size_t> count(endpoints);
  for (const std::size_t one : made) ++count[one];
  return count;
}

TEST(RoundRobin, GivesEachTheSame) {
  Balancer balancer(Balance::round_robin, 7);
  EXPECT_EQ(shares(choices(balancer, std::vector<Standing>(3), 300), 3), (std::vector<std::size_t>{100, 100, 100}));
}

TEST(RoundRobin, WorkersDoNotBeginWithTheSame) {
  std::array<bool, 4> seen{};
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    Balancer balancer(Balance::round_robin, seed << 32U);
    seen[balancer.choose(std::vector<Standing>(4)).value()] = true;
  }
  EXPECT_EQ(seen, (std::array<bool, 4>{true, true, true, true}));
}

class BothWays : public testing::TestWithParam<Balance> {};

TEST_P(BothWays, ASickOneIsNeverChosen) {
  Balancer balancer(GetParam(), 1);
  const auto made = choices(balancer, {{}, {.is_sick = true}, {}}, 100);
  EXPECT_EQ(shares(made, 3)[1], 0U);
  EXPECT_GT(shares(made, 3)[0], 0U);
  EXPECT_GT(shares(made, 3)[2], 0U);
}

TEST_P(BothWays, F30_WhereAllAreSickNoneIsChosen) {
  Balancer balancer(GetParam(), 1);
  EXPECT_EQ(balancer.choose(std::vector<Standing>{{.is_sick = true}, {.is_sick = true, .is_out = true}}), std::nullopt);
}

TEST_P(BothWays, AnEjectedOneIsChosenOnlyWhereNoOtherIsLeft) {
  Balancer balancer(GetParam(), 1);
  EXPECT_EQ(shares(choices(balancer, {{.is_out = true}, {}}, 50), 2)[0], 0U);
  EXPECT_EQ(shares(choices(balancer, {{.is_out = true}, {.is_sick = true}}, 50), 2)[0], 50U);
  EXPECT_GT(shares(choices(balancer, {{.is_out = true}, {.is_out = true}}, 50), 2)[1], 0U);
}

TEST_P(BothWays, ARetryGoesToAnotherWhereThereIsOne) {
  Balancer balancer(GetParam(), 1);
  EXPECT_EQ(shares(choices(balancer, {{.was_tried = true}, {}}, 50), 2)[0], 0U);
  EXPECT_EQ(shares(choices(balancer, {{.was_tried = true}, {.is_sick = true}}, 50), 2)[0], 50U);
  EXPECT_EQ(shares(choices(balancer, {{.was_tried = true}, {.is_out = true}}, 50), 2)[0], 50U);
}

INSTANTIATE_TEST_SUITE_P(Balance, BothWays, testing::Values(Balance::round_robin, Balance::least_requests),
                         [](const auto& how) { return how.param == Balance::round_robin ? "Robin" : "Least"; });

TEST(LeastRequests, OfTwoTheLessBusyOneIsChosen) {
  Balancer balancer(Balance::least_requests, 3);
  EXPECT_EQ(shares(choices(balancer, {{.busy = 5}, {.busy = 4}}, 100), 2)[0], 0U);
}

TEST(LeastRequests, OfManyTheBusiestIsNeverChosenAndNoneIsForgotten) {
  Balancer balancer(Balance::least_requests, 3);
  const auto made = shares(choices(balancer, {{.busy = 9}, {.busy = 1}, {.busy = 1}, {.busy = 2}}, 1000), 4);
  EXPECT_EQ(made[0], 0U);
  EXPECT_GT(made[1], 300U);
  EXPECT_GT(made[2], 300U);
  EXPECT_GT(made[3], 50U) << "two are drawn, and the better one wins: not the best of all each time";
}

TEST(LeastRequests, EvenWhereAllAreAlike) {
  Balancer balancer(Balance::least_requests, 3);
  for (const std::size_t share : shares(choices(balancer, std::vector<Standing>(4), 4000), 4)) {
    EXPECT_NEAR(static_cast<double>(share), 1000.0, 150.0);
  }
}

}  // namespace
}  // namespace keygate::proxy
