#include "proxy/ejection.hpp"

#include <gtest/gtest.h>

namespace keygate::proxy {
namespace {

using namespace std::chrono_literals;

constexpr Ejection::Time begin{1'000'000s};

Ejection ejected_at(Ejection::Time now) {
  Ejection ejection;
  for (int i = 0; i < 3; ++i) ejection.note_failure(now);
  return ejection;
}

TEST(Ejection, F30_ComesWithTheThirdFailureInARow) {
  Ejection ejection;
  EXPECT_FALSE(ejection.note_failure(begin));
  EXPECT_FALSE(ejection.note_failure(begin));
  EXPECT_FALSE(ejection.is_out(begin));
  EXPECT_TRUE(ejection.note_failure(begin));
  EXPECT_TRUE(ejection.is_out(begin));
  EXPECT_TRUE(ejection.is_out(begin + 999ms));
  EXPECT_FALSE(ejection.is_out(begin + 1s));
}

TEST(Ejection, ASuccessBeginsTheCountAnew) {
  Ejection ejection;
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(ejection.note_failure(begin));
    EXPECT_FALSE(ejection.note_failure(begin));
    EXPECT_FALSE(ejection.note_success());
  }
  EXPECT_FALSE(ejection.is_out(begin));
}

TEST(Ejection, OneFailureMoreAndItIsOutForTwiceAsLongUpToThirtySeconds) {
  Ejection ejection = ejected_at(begin);
  Ejection::Time now = begin;
  for (const auto time : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
    EXPECT_TRUE(ejection.is_out(now + time - 1ms)) << time.count();
    EXPECT_FALSE(ejection.is_out(now + time)) << time.count();
    now += time;
    EXPECT_FALSE(ejection.note_failure(now)) << "it is said once";
  }
}

TEST(Ejection, WhoeverBeganBeforeItWasOutDoesNotMakeItLonger) {
  Ejection ejection = ejected_at(begin);
  for (int i = 0; i < 100; ++i) ejection.note_failure(begin + 500ms);
  EXPECT_FALSE(ejection.is_out(begin + 1s));
}

TEST(Ejection, OneTriesAndTheOthersWaitForHowThatEnds) {
  Ejection ejection = ejected_at(begin);
  ejection.begin_trial(begin + 1s, 300ms);
  EXPECT_TRUE(ejection.is_out(begin + 1s));
  EXPECT_FALSE(ejection.is_out(begin + 1300ms)) << "a trial of which nothing is heard is none";
  ejection.begin_trial(begin + 1300ms, 300ms);
  ejection.note_failure(begin + 1400ms);
  EXPECT_TRUE(ejection.is_out(begin + 3399ms));
  EXPECT_FALSE(ejection.is_out(begin + 3400ms));
}

TEST(Ejection, ATrialThatGoesWellEndsIt) {
  Ejection ejection = ejected_at(begin);
  ejection.begin_trial(begin + 1s, 300ms);
  EXPECT_TRUE(ejection.note_success());
  EXPECT_FALSE(ejection.has_failed());
  EXPECT_FALSE(ejection.is_out(begin + 1s));
  EXPECT_FALSE(ejection.note_failure(begin + 2s)) << "three in a row again";
  EXPECT_FALSE(ejection.is_out(begin + 2s));
}

// All are out, and somebody has to be asked.
TEST(Ejection, ARequestDuringItsTimeIsNoTrial) {
  Ejection ejection = ejected_at(begin);
  ejection.begin_trial(begin + 500ms, 300ms);
  ejection.note_failure(begin + 600ms);
  EXPECT_TRUE(ejection.is_out(begin + 999ms));
  EXPECT_FALSE(ejection.is_out(begin + 1s));
}

TEST(Ejection, ATrialOfWhoeverIsInUseChangesNothing) {
  Ejection ejection;
  ejection.begin_trial(begin, 300ms);
  EXPECT_FALSE(ejection.is_out(begin));
}

}  // namespace
}  // namespace keygate::proxy
