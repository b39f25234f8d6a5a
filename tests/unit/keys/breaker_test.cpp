#include "keys/breaker.hpp"

#include "keys/backoff.hpp"

#include <gtest/gtest.h>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;
using State = Breaker::State;
using Failure = Breaker::Failure;

const Breaker::Time start{1'000s};

Breaker opened_at(Breaker::Time time, std::chrono::milliseconds jitter = 0ms) {
  Breaker breaker;
  breaker.open(time, jitter);
  return breaker;
}

TEST(Breaker, OpensAfterFiveFailuresInARow) {
  Breaker breaker;
  for (int i = 0; i < 4; ++i) breaker.fail(Failure::other, start, 0ms);
  EXPECT_TRUE(breaker.may_ask(start));
  breaker.fail(Failure::other, start, 0ms);
  EXPECT_EQ(breaker.state(), State::open);
  EXPECT_FALSE(breaker.may_ask(start));
}

TEST(Breaker, ASuccessEndsTheRow) {
  Breaker breaker;
  for (int i = 0; i < 40; ++i) {
    if (i % 5 == 4) {
      breaker.succeed(start);
    } else {
      breaker.fail(Failure::other, start, 0ms);
    }
  }
  EXPECT_EQ(breaker.state(), State::closed);
}

TEST(Breaker, OpensOnMoreThanAFifthOfTimeoutsInASecond) {
  Breaker breaker;
  for (int i = 0; i < 32; ++i) breaker.succeed(start);
  for (int i = 0; i < 4; ++i) {
    breaker.fail(Failure::timeout, start + 50ms, 0ms);
    breaker.fail(Failure::timeout, start + 50ms, 0ms);
    if (i < 3) breaker.succeed(start + 50ms);
  }
  EXPECT_EQ(breaker.state(), State::closed) << "8 of 43";
  breaker.succeed(start + 50ms);
  breaker.fail(Failure::timeout, start + 60ms, 0ms);
  breaker.fail(Failure::timeout, start + 60ms, 0ms);
  EXPECT_EQ(breaker.state(), State::open) << "10 of 46";
}

TEST(Breaker, TimeoutsOfLongAgoDoNotCount) {
  Breaker breaker;
  for (int i = 0; i < 100; ++i) {
    breaker.fail(Failure::timeout, start + i * 300ms, 0ms);
    breaker.succeed(start + i * 300ms);
  }
  EXPECT_EQ(breaker.state(), State::closed) << "never more than 8 asked in a second, so a share says nothing";
}

TEST(Breaker, F01_LetsOneThroughAfterASecond) {
  Breaker breaker = opened_at(start, 100ms);
  EXPECT_FALSE(breaker.may_ask(start + 1'099ms));
  EXPECT_TRUE(breaker.may_ask(start + 1'100ms));
  EXPECT_EQ(breaker.state(), State::half_open);
  EXPECT_FALSE(breaker.may_ask(start + 1'101ms)) << "one is enough to see";
}

TEST(Breaker, TheOneThatSucceedsClosesIt) {
  Breaker breaker = opened_at(start);
  ASSERT_TRUE(breaker.may_ask(start + 1s));
  breaker.succeed(start + 1s);
  EXPECT_EQ(breaker.state(), State::closed);
  breaker.fail(Failure::other, start + 1s, 0ms);
  EXPECT_EQ(breaker.state(), State::closed) << "it begins anew";
}

TEST(Breaker, TheOneThatFailsOpensItAgain) {
  Breaker breaker = opened_at(start);
  ASSERT_TRUE(breaker.may_ask(start + 1s));
  breaker.fail(Failure::timeout, start + 1s, -200ms);
  EXPECT_FALSE(breaker.may_ask(start + 1'799ms));
  EXPECT_TRUE(breaker.may_ask(start + 1'800ms));
}

TEST(Breaker, TheOneThatNeverReportsDoesNotKeepItShut) {
  Breaker breaker = opened_at(start);
  ASSERT_TRUE(breaker.may_ask(start + 1s));
  EXPECT_TRUE(breaker.may_ask(start + 2s));
}

TEST(Breaker, LateAnswersChangeNothingWhileOpen) {
  Breaker breaker = opened_at(start);
  breaker.succeed(start + 10ms);
  breaker.fail(Failure::timeout, start + 900ms, 0ms);
  EXPECT_EQ(breaker.state(), State::open);
  EXPECT_TRUE(breaker.may_ask(start + 1s)) << "not put off either";
}

TEST(Backoff, DoublesUpToItsLimit) {
  Backoff backoff(50ms, 1'500ms);
  const double middle = 0.5;
  for (const auto expected : {50ms, 100ms, 200ms, 400ms, 800ms, 1'500ms, 1'500ms}) {
    EXPECT_EQ(backoff.next(middle), expected);
  }
  backoff.reset();
  EXPECT_EQ(backoff.next(middle), 50ms);
}

TEST(Backoff, IsJitteredByAQuarter) {
  EXPECT_EQ(jittered(1'000ms, 0.0), 750ms);
  EXPECT_EQ(jittered(1'000ms, 0.999), 1'249ms);
}

}  // namespace
}  // namespace keygate::keys
