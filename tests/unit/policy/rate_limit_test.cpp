#include "policy/rate_limit.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keygate::policy {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t hour = 3'600 * second;
constexpr std::int64_t midnight = 20'000 * 24 * hour;  // of 2024-10-04

// A limit with a clock that the test turns.
class Counter {
 public:
  explicit Counter(const RateLimit& limit, std::int64_t now = midnight) : limit_(limit), now_(now) {}

  bool pass() {
    if (!has_room(limit_, count_, now_)) return false;
    count_ = after_one(limit_, count_, now_);
    return true;
  }
  int pass_of(int requests) {
    int passed = 0;
    for (int i = 0; i < requests; ++i) passed += pass() ? 1 : 0;
    return passed;
  }
  void turn_to(std::int64_t now) { now_ = now; }
  void turn_by(std::int64_t micros) { now_ += micros; }
  void change_to(const RateLimit& limit) { limit_ = limit; }
  Standing standing() const { return standing_of(limit_, count_, now_); }
  std::int64_t now() const { return now_; }
  const Count& count() const { return count_; }

 private:
  RateLimit limit_;
  std::int64_t now_;
  Count count_;
};

RateLimit of(std::uint64_t limit, std::chrono::seconds window) { return {limit, window, {.key = true}}; }

TEST(RateLimit, LetsThroughExactlyTheLimitAtOnce) {
  for (const auto& limit : {of(1, 1s), of(7, 60s), of(10, 24h), of(600, 60s), of(9'999, 1s), of(1'000'000, 1h)}) {
    const auto most = static_cast<int>(limit.limit);
    EXPECT_EQ(Counter(limit).pass_of(most + 50), most) << limit.limit << " in " << limit.window.count();
  }
}

TEST(RateLimit, GivesBackOneAtATime) {
  Counter counter(of(60, 60s));
  EXPECT_EQ(counter.pass_of(100), 60);
  counter.turn_by(second - 1);
  EXPECT_FALSE(counter.pass());
  counter.turn_by(1);
  EXPECT_EQ(counter.pass_of(5), 1);
  counter.turn_by(10 * second);
  EXPECT_EQ(counter.pass_of(50), 10);
  counter.turn_by(hour);
  EXPECT_EQ(counter.pass_of(100), 60) << "never more than the whole";
}

TEST(RateLimit, OfAnHourKnowsNoHourBoundary) {
  Counter counter(of(10, 1h), midnight + hour - second);
  EXPECT_EQ(counter.pass_of(20), 10);
  counter.turn_by(2 * second);
  EXPECT_EQ(counter.pass_of(20), 0) << "the new hour forgives nothing";
  counter.turn_by(hour / 10);
  EXPECT_EQ(counter.pass_of(20), 1);
}

TEST(RateLimit, OfADayEndsAtMidnightInUtc) {
  Counter counter(of(10, 24h), midnight - second);
  EXPECT_EQ(counter.pass_of(20), 10);
  EXPECT_EQ(counter.standing().reset, 1);
  counter.turn_to(midnight - 1);
  EXPECT_FALSE(counter.pass());
  EXPECT_EQ(counter.standing().retry_after, 1) << "a part of a second is a second";
  counter.turn_to(midnight);
  EXPECT_EQ(counter.pass_of(20), 10) << "another day";
  EXPECT_EQ(counter.standing().reset, 24 * 3'600);
  counter.turn_to(midnight + 23 * hour);
  EXPECT_FALSE(counter.pass()) << "and not a moment earlier";
}

TEST(RateLimit, AClockThatGoesBackForgivesNothingAndLocksNobodyOut) {
  Counter hourly(of(10, 1h));
  EXPECT_EQ(hourly.pass_of(10), 10);
  hourly.turn_by(-30 * second);
  EXPECT_FALSE(hourly.pass());
  hourly.turn_by(-100 * hour);
  EXPECT_EQ(hourly.standing().reset, 3'600) << "one window at most";

  Counter daily(of(10, 24h));
  EXPECT_EQ(daily.pass_of(10), 10);
  daily.turn_by(-second);
  EXPECT_FALSE(daily.pass()) << "back over midnight";
  daily.turn_by(-100 * 24 * hour);
  EXPECT_TRUE(daily.pass());
}

TEST(RateLimit, GoesOnFromWhatIsSpentWhenItIsChanged) {
  for (const auto window : {std::chrono::seconds(1h), std::chrono::seconds(24h)}) {
    Counter counter(of(10, window));
    EXPECT_EQ(counter.pass_of(10), 10);
    counter.change_to(of(5, window));
    EXPECT_FALSE(counter.pass());
    EXPECT_EQ(counter.standing().remaining, 0U);
    counter.change_to(of(20, window));
    // What rolls was spent whole and comes back twice as fast; a day has twice as many.
    EXPECT_EQ(counter.pass_of(20), window == 24h ? 10 : 0);
    EXPECT_EQ(counter.standing().retry_after, window == 24h ? 86'400 : 180);
  }
}

TEST(RateLimit, A09_SaysWhatIsLeftAndWhen) {
  Counter counter(of(60, 60s));
  EXPECT_TRUE(counter.pass());
  EXPECT_EQ(counter.standing().remaining, 59U);
  EXPECT_EQ(counter.standing().reset, 1);
  EXPECT_EQ(counter.standing().retry_after, 0);
  EXPECT_EQ(counter.pass_of(59), 59);
  EXPECT_EQ(counter.standing().remaining, 0U);
  EXPECT_EQ(counter.standing().reset, 60);
  EXPECT_EQ(counter.standing().retry_after, 1);
  counter.turn_by(second * counter.standing().retry_after);
  EXPECT_TRUE(counter.pass()) << "who waits as long as it was told passes";
}

TEST(RateLimit, TheTighterIsTheOneThatMakesWait) {
  const Standing waits{10, 0, 60, 30}, waits_longer{600, 0, 100, 90}, few{10, 3, 60, 0}, many{5, 4, 99, 0};
  EXPECT_TRUE(is_tighter(waits, few));
  EXPECT_TRUE(is_tighter(waits_longer, waits));
  EXPECT_TRUE(is_tighter(few, many));
  EXPECT_FALSE(is_tighter(many, few));
  EXPECT_TRUE(is_tighter({10, 3, 61, 0}, few));
}

TEST(RateLimit, A09_FieldsAreExactlyThese) {
  std::array<char, rate_fields_bound> room{};
  EXPECT_EQ(rate_fields({600, 599, 1, 0}, room),
            "RateLimit-Limit: 600\r\nRateLimit-Remaining: 599\r\nRateLimit-Reset: 1\r\n");
  constexpr auto most = static_cast<std::uint64_t>(-1);
  EXPECT_LT(rate_fields({most, most, INT64_MAX, 0}, room).size(), room.size());
  EXPECT_TRUE(is_rate_field("ratelimit-LIMIT"));
  EXPECT_TRUE(is_rate_field("RateLimit-Reset"));
  EXPECT_FALSE(is_rate_field("X-RateLimit-Limit"));
  EXPECT_FALSE(is_rate_field("RateLimit"));
}

TEST(RateLimit, FlawsAreSaid) {
  EXPECT_EQ(limit_flaw(600, 1min), "");
  EXPECT_EQ(limit_flaw(10'000, 1s), "");
  EXPECT_EQ(limit_flaw(10'001, 1s), "no more than 10000 requests a second are counted");
  EXPECT_EQ(limit_flaw(0, 1min), "a limit is from 1 to 1000000 requests");
  EXPECT_EQ(limit_flaw(1, 500ms), "a window is from 1s to 1d");
  EXPECT_EQ(limit_flaw(1, 25h), "a window is from 1s to 1d");
  EXPECT_EQ(limit_flaw(1, 1500ms), "a window is whole seconds");
}

}  // namespace
}  // namespace keygate::policy
