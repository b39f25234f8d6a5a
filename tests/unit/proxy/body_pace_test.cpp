#include "proxy/body_pace.hpp"

#include <gtest/gtest.h>

namespace keygate::proxy {
namespace {

using namespace std::chrono_literals;

TEST(BodyPace, D02_AByteASecondIsTooSlowAfterTenSeconds) {
  const config::LimitSettings limits;
  BodyPace pace(limits);
  int seconds = 0;
  while (pace.note(1, 1s) && seconds < 100) {
    ++seconds;
  }
  EXPECT_EQ(seconds, 10);
}

TEST(BodyPace, D02_JustTheRateIsEnoughForEver) {
  const config::LimitSettings limits;
  BodyPace pace(limits);
  for (int seconds = 0; seconds < 10'000; ++seconds) {
    ASSERT_TRUE(pace.note(limits.body_min_rate, 1s)) << seconds;
  }
  EXPECT_TRUE(pace.note(0, 10s)) << "what it got to begin with is still there";
  EXPECT_FALSE(pace.note(limits.body_min_rate - 1, 1s)) << "a byte less is too slow";
}

TEST(BodyPace, WhatCameFastBuysNoMoreThanTheGrace) {
  const config::LimitSettings limits;
  BodyPace pace(limits);
  EXPECT_TRUE(pace.note(100'000'000, 1s));
  EXPECT_TRUE(pace.note(0, 10s));
  EXPECT_FALSE(pace.note(1, 1s));
}

TEST(BodyPace, APauseIsMadeUpForByWhatComesAfterIt) {
  const config::LimitSettings limits;
  BodyPace pace(limits);
  EXPECT_TRUE(pace.note(16 * 1024, 29s));
  EXPECT_FALSE(BodyPace(limits).note(1, 29s));
}

TEST(BodyPace, HugePiecesDoNotOverflow) {
  config::LimitSettings limits;
  for (const std::uint64_t rate : {std::uint64_t{1}, std::uint64_t{240}, std::uint64_t{1} << 30U}) {
    limits.body_min_rate = rate;
    BodyPace pace(limits);
    EXPECT_TRUE(pace.note(~std::uint64_t{0}, 1s)) << rate;
  }
}

TEST(BodyPace, NothingIsTooSlowWithoutARate) {
  config::LimitSettings limits;
  limits.body_min_rate = 0;
  BodyPace pace(limits);
  EXPECT_TRUE(pace.note(1, 24h));
}

TEST(BodyPace, WaitsNoLongerThanIsLeftForTheWholeBody) {
  config::LimitSettings limits;
  limits.body_idle_timeout = 30s;
  limits.request_timeout = 50s;
  BodyPace pace(limits);
  EXPECT_EQ(pace.longest_wait(), 30s);
  pace.note(1'000'000, 25s);
  EXPECT_EQ(pace.longest_wait(), 25s);
  pace.note(1'000'000, 25s);
  EXPECT_EQ(pace.longest_wait(), 0s);
  pace.note(1'000'000, 25s);
  EXPECT_EQ(pace.longest_wait(), 0s);
  limits.request_timeout = 0s;
  EXPECT_EQ(pace.longest_wait(), 30s) << "0 is no limit";
}

}  // namespace
}  // namespace keygate::proxy
