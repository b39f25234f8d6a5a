#include "proxy/trace_sampler.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace keygate::proxy {
namespace {

using namespace std::chrono_literals;

constexpr TraceSampler::Time start{1'000'000s};
constexpr std::uint64_t high = std::numeric_limits<std::uint64_t>::max();  // what only a share of 1 draws
constexpr TraceSampler::Wish no_parent{}, wished{true, false}, declined{false, false}, told{true, true},
    told_not{false, true};

TEST(TraceSampler, DrawsItsShareWhereNobodyAsks) {
  TraceSampler sampler({10, 100});
  std::mt19937_64 random(7);
  int drawn = 0;
  for (int i = 0; i < 10'000; ++i) drawn += sampler.is_recorded(no_parent, 0.25, random(), start) ? 1 : 0;
  EXPECT_NEAR(drawn, 2'500, 200);
  EXPECT_FALSE(sampler.is_recorded(no_parent, 0, 0, start));
  EXPECT_TRUE(sampler.is_recorded(no_parent, 1, high, start));
}

TEST(TraceSampler, DoesWhatAParentSaysThatIsBelieved) {
  TraceSampler sampler({10, 100});
  EXPECT_TRUE(sampler.is_recorded(told, 0, high, start));
  EXPECT_FALSE(sampler.is_recorded(told_not, 1, 0, start));
}

TEST(TraceSampler, A12_EvenAParentThatIsBelievedHasABound) {
  TraceSampler sampler({10, 100});
  int recorded = 0;
  for (int i = 0; i < 1'000; ++i) recorded += sampler.is_recorded(told, 0, high, start) ? 1 : 0;
  EXPECT_EQ(recorded, 100);
  EXPECT_TRUE(sampler.is_recorded(told, 0.5, 0, start)) << "beyond it the dice decide";
  EXPECT_TRUE(sampler.is_recorded(wished, 0, high, start)) << "and strangers have lost nothing";
}

TEST(TraceSampler, A12_GrantsStrangersAFewWishesASecond) {
  TraceSampler sampler({10, 100});
  const auto granted_at = [&](TraceSampler::Time now) {
    int granted = 0;
    for (int i = 0; i < 1'000; ++i) granted += sampler.is_recorded(wished, 0, high, now) ? 1 : 0;
    return granted;
  };
  EXPECT_EQ(granted_at(start), 10);
  EXPECT_EQ(granted_at(start), 0);
  EXPECT_EQ(granted_at(start + 500ms), 5);
  EXPECT_EQ(granted_at(start + 1h), 10) << "no more pile up";
}

TEST(TraceSampler, BeyondThemTheDiceDecide) {
  TraceSampler sampler({1, 100});
  EXPECT_TRUE(sampler.is_recorded(wished, 0, high, start));
  EXPECT_FALSE(sampler.is_recorded(wished, 0, high, start));
  EXPECT_TRUE(sampler.is_recorded(wished, 0.5, 0, start));
}

TEST(TraceSampler, A12_NobodyCanOptOut) {
  TraceSampler sampler({1, 100});
  EXPECT_TRUE(sampler.is_recorded(declined, 1, high, start));
}

TEST(TraceSampler, ASlowRateGrantsOneAtATime) {
  TraceSampler sampler({0.5, 100});
  EXPECT_TRUE(sampler.is_recorded(wished, 0, high, start));
  EXPECT_FALSE(sampler.is_recorded(wished, 0, high, start + 1s));
  EXPECT_TRUE(sampler.is_recorded(wished, 0, high, start + 3s));
}

}  // namespace
}  // namespace keygate::proxy
