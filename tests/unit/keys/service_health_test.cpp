#include "keys/service_health.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;
using Outcome = ServiceHealth::Outcome;

class ServiceHealthTest : public testing::Test {
 protected:
  void ask(Outcome outcome, double jitter = 0) {
    const auto permit = health.enter(now);
    ASSERT_TRUE(permit.has_value());
    health.leave(*permit, outcome, now, jitter);
  }

  void go_down() {
    for (unsigned i = 0; i < ServiceHealth::failures_to_open; ++i) ask(Outcome::failed);
  }

  // How many are permitted now; all of them then end with `outcome`.
  std::size_t wave(Outcome outcome) {
    std::vector<ServiceHealth::Permit> permits;
    while (permits.size() < 1000) {
      const auto permit = health.enter(now);
      if (!permit) break;
      permits.push_back(*permit);
    }
    for (const auto permit : permits) health.leave(permit, outcome, now, 0);
    return permits.size();
  }

  ServiceHealth health;
  ServiceHealth::Time now{1000s};
};

TEST_F(ServiceHealthTest, F26_FiveFailuresInARowOpenIt) {
  for (int i = 0; i < 4; ++i) ask(Outcome::failed);
  ask(Outcome::alive);
  for (int i = 0; i < 4; ++i) ask(Outcome::failed);
  ask(Outcome::untold);
  EXPECT_FALSE(health.is_down());
  ask(Outcome::failed);
  EXPECT_TRUE(health.is_down());
  EXPECT_FALSE(health.enter(now).has_value());
}

TEST_F(ServiceHealthTest, F26_RecoversByOneThenTwoThenFour) {
  go_down();
  now += 999ms;
  EXPECT_FALSE(health.enter(now).has_value());
  now += 1ms;
  for (const std::size_t width : {1U, 2U, 4U, 8U, 16U, 32U, 64U}) {
    EXPECT_TRUE(health.is_down());
    EXPECT_EQ(wave(Outcome::alive), width);
  }
  EXPECT_FALSE(health.is_down());
  EXPECT_EQ(wave(Outcome::alive), 1000U);
}

TEST_F(ServiceHealthTest, F26_ClosesOnceItHasGoneWellForFiveSecondsHoweverLittleIsAsked) {
  go_down();
  now += 1s;
  EXPECT_EQ(wave(Outcome::alive), 1U);
  EXPECT_TRUE(health.is_recovering());
  now += 4s;
  ask(Outcome::alive);
  EXPECT_TRUE(health.is_down());
  now += 1s;
  ask(Outcome::alive);
  EXPECT_FALSE(health.is_down());
  EXPECT_EQ(wave(Outcome::alive), 1000U);
}

TEST_F(ServiceHealthTest, F26_IsNotRecoveringBeforeTheFirstGoodAnswer) {
  go_down();
  EXPECT_FALSE(health.is_recovering());
  now += 1s;
  const auto probe = health.enter(now);
  ASSERT_TRUE(probe);
  EXPECT_FALSE(health.is_recovering()) << "whoever waited for it might wait in vain";
  now += 10s;
  EXPECT_FALSE(health.enter(now)) << "a probe that hangs is no good answer";
}

TEST_F(ServiceHealthTest, F26_AFailedProbeOpensItAgain) {
  go_down();
  now += 1s;
  EXPECT_EQ(wave(Outcome::alive), 1U);
  EXPECT_EQ(wave(Outcome::failed), 2U);
  EXPECT_FALSE(health.enter(now).has_value());
  now += 1s;
  EXPECT_EQ(wave(Outcome::untold), 1U);  // of which nothing was learnt
  EXPECT_EQ(wave(Outcome::alive), 1U);
  EXPECT_EQ(wave(Outcome::alive), 2U);
}

TEST_F(ServiceHealthTest, F26_ThePauseIsSpreadByAFifth) {
  for (int i = 0; i < 4; ++i) ask(Outcome::failed);
  ask(Outcome::failed, -1);
  now += 799ms;
  EXPECT_FALSE(health.enter(now).has_value());
  now += 1ms;
  const auto permit = health.enter(now);
  ASSERT_TRUE(permit.has_value());
  health.leave(*permit, Outcome::failed, now, 7);  // at most a fifth
  now += 1199ms;
  EXPECT_FALSE(health.enter(now).has_value());
  now += 1ms;
  EXPECT_TRUE(health.enter(now).has_value());
}

TEST_F(ServiceHealthTest, F22_TheTimeThatTheServiceAsksForIsGivenUpToThirtySeconds) {
  const auto permit = health.enter(now);
  health.leave(*permit, Outcome::failed, now, 0, 10s);
  EXPECT_TRUE(health.is_down());
  now += 9999ms;
  EXPECT_FALSE(health.enter(now).has_value());
  now += 1ms;
  const auto next = health.enter(now);
  ASSERT_TRUE(next.has_value());
  health.leave(*next, Outcome::failed, now, 0, 24h);
  now += 29'999ms;
  EXPECT_FALSE(health.enter(now).has_value());
  now += 1ms;
  EXPECT_TRUE(health.enter(now).has_value());
}

TEST_F(ServiceHealthTest, WhatBeganBeforeItOpenedSaysNothingOfItsRecovery) {
  const auto early = health.enter(now);
  const auto late = health.enter(now);
  go_down();
  health.leave(*early, Outcome::alive, now, 0);
  EXPECT_TRUE(health.is_down());
  now += 1s;
  ASSERT_TRUE(health.enter(now).has_value());
  health.leave(*late, Outcome::alive, now, 0);
  EXPECT_FALSE(health.enter(now).has_value()) << "still one at a time";
}

TEST_F(ServiceHealthTest, KnowsSinceWhenItIsDown) {
  const auto start = now;
  go_down();
  now += 1s;
  EXPECT_EQ(wave(Outcome::failed), 1U);
  EXPECT_EQ(health.down_since(), start);
}

}  // namespace
}  // namespace keygate::keys
