#include "telemetry/histogram.hpp"

#include <gtest/gtest.h>

namespace keygate::telemetry {
namespace {

using std::chrono::milliseconds;

TEST(Histogram, CountsWhatEqualsABoundWithinIt) {
  AuthTimes times;
  times.add(nanoseconds(1'000));
  times.add(nanoseconds(1'001));
  times.add(std::chrono::hours(1));
  EXPECT_EQ(times.counts.front(), 1U);
  EXPECT_EQ(times.counts[1], 1U);
  EXPECT_EQ(times.counts.back(), 1U);
  EXPECT_EQ(times.total(), 3U);
  EXPECT_EQ(times.sum, 2'001U + 3'600'000'000'000U);
}

TEST(Histogram, TakesATimeBelowZeroForNone) {
  AuthTimes times;
  times.add(nanoseconds(-5));
  EXPECT_EQ(times.counts.front(), 1U);
  EXPECT_EQ(times.sum, 0U);
}

TEST(Histogram, MergesToWhatOneWouldHaveCounted) {
  RequestTimes one, other, both;
  for (const int ms : {1, 7, 40}) {
    one.add(milliseconds(ms));
    both.add(milliseconds(ms));
  }
  other.add(milliseconds(300));
  both.add(milliseconds(300));
  one.merge(other);
  EXPECT_EQ(one.counts, both.counts);
  EXPECT_EQ(one.sum, both.sum);
}

TEST(Histogram, FindsAQuantileInItsBucket) {
  RequestTimes times;
  EXPECT_EQ(times.quantile(0.95).count(), 0);
  for (int i = 0; i < 94; ++i) times.add(milliseconds(1));
  for (int i = 0; i < 6; ++i) times.add(milliseconds(40));
  EXPECT_LE(times.quantile(0.5), milliseconds(1));
  EXPECT_GT(times.quantile(0.95), milliseconds(25));
  EXPECT_LE(times.quantile(0.95), milliseconds(50));
  times = {};
  times.add(std::chrono::minutes(5));
  EXPECT_EQ(times.quantile(0.95), std::chrono::seconds(30)) << "over all bounds: the highest of them";
}

}  // namespace
}  // namespace keygate::telemetry
