#include "proxy/deadlines.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace keygate::proxy {
namespace {

using namespace std::chrono_literals;
using Time = std::chrono::steady_clock::time_point;

constexpr Time beginning{1'000'000s};

// A deadline that calls whatever a test wants called.
struct Guarded {
  explicit Guarded(std::function<void()> act) : on_passed(std::move(act)) {}

  std::function<void()> on_passed;
  Deadline deadline{this, [](void* self) { static_cast<Guarded*>(self)->on_passed(); }};
};

class Wheel : public ::testing::Test {
 protected:
  Wheel() { wheel.start_at(now); }

  std::unique_ptr<Guarded> guard(const std::string& name) {
    return std::make_unique<Guarded>([this, name] { passed += name; });
  }
  void go(std::chrono::milliseconds by) {
    now += by;
    wheel.advance(now);
  }
  // In ticks, as a worker does.
  void walk(std::chrono::milliseconds by) {
    for (const Time end = now + by; now < end;) go(DeadlineWheel::tick);
  }

  DeadlineWheel wheel;
  Time now = beginning;
  std::string passed;
};

TEST_F(Wheel, PassesADeadlineWithinATickAfterItsTime) {
  for (const auto after :
       {0ms, 1ms, 50ms, 99ms, 100ms, 101ms, 1'000ms, 51'100ms, 51'200ms, 51'300ms, 60'000ms, 600'000ms}) {
    passed.clear();
    auto one = guard("x");
    wheel.arm(one->deadline, after);
    const Time armed = now;
    while (passed.empty()) go(DeadlineWheel::tick);
    EXPECT_GE(now - armed, after);
    EXPECT_LE(now - armed, after + 2 * DeadlineWheel::tick) << after.count();
    EXPECT_FALSE(one->deadline.is_armed());
  }
}

// The wheel is seldom armed just as a tick begins.
TEST_F(Wheel, NeverPassesADeadlineEarly) {
  for (int offset = 0; offset < 100; offset += 7) {
    passed.clear();
    go(std::chrono::milliseconds(offset));
    auto one = guard("x");
    wheel.arm(one->deadline, 300ms);
    go(299ms);
    EXPECT_EQ(passed, "") << offset;
    go(201ms);
    EXPECT_EQ(passed, "x") << offset;
  }
}

TEST_F(Wheel, PassesDeadlinesInTheOrderOfTheirTimes) {
  auto a = guard("a"), b = guard("b"), c = guard("c"), d = guard("d");
  wheel.arm(c->deadline, 900ms);
  wheel.arm(a->deadline, 200ms);
  wheel.arm(d->deadline, 60s);
  wheel.arm(b->deadline, 500ms);
  walk(2s);
  EXPECT_EQ(passed, "abc");
  walk(60s);
  EXPECT_EQ(passed, "abcd");
}

TEST_F(Wheel, PassesEachDeadlineOnce) {
  auto one = guard("x");
  wheel.arm(one->deadline, 100ms);
  walk(120s);
  EXPECT_EQ(passed, "x");
}

TEST_F(Wheel, ForgetsTheTimeBeforeWhenArmedAgain) {
  auto one = guard("x");
  wheel.arm(one->deadline, 500ms);
  wheel.arm(one->deadline, 2s);
  walk(1'900ms);
  EXPECT_EQ(passed, "");
  walk(400ms);
  EXPECT_EQ(passed, "x");
  wheel.arm(one->deadline, 60s);
  wheel.arm(one->deadline, 200ms);
  walk(500ms);
  EXPECT_EQ(passed, "xx");
  walk(70s);
  EXPECT_EQ(passed, "xx");
}

TEST_F(Wheel, PassesNothingThatIsDisarmed) {
  auto one = guard("x");
  EXPECT_FALSE(one->deadline.is_armed());
  one->deadline.disarm();
  wheel.arm(one->deadline, 200ms);
  EXPECT_TRUE(one->deadline.is_armed());
  one->deadline.disarm();
  EXPECT_FALSE(one->deadline.is_armed());
  walk(1s);
  EXPECT_EQ(passed, "");
}

TEST_F(Wheel, PassesNothingThatIsGone) {
  auto one = guard("x");
  wheel.arm(one->deadline, 200ms);
  one.reset();
  walk(1s);
  EXPECT_EQ(passed, "");
}

TEST_F(Wheel, LetsACallbackDisarmAndDestroyOthersThatAreDueWithIt) {
  auto b = guard("b"), c = guard("c"), d = guard("d");
  Guarded a([&] {
    passed += "a";
    b->deadline.disarm();
    c.reset();
  });
  wheel.arm(a.deadline, 200ms);
  wheel.arm(b->deadline, 200ms);
  wheel.arm(c->deadline, 200ms);
  wheel.arm(d->deadline, 200ms);
  walk(1s);
  EXPECT_EQ(passed, "ad");
}

TEST_F(Wheel, LetsACallbackDestroyItself) {
  std::unique_ptr<Guarded> self;
  self = std::make_unique<Guarded>([&] {
    passed += "x";
    const auto doomed = std::move(self);
  });
  auto after = guard("y");
  wheel.arm(self->deadline, 200ms);
  wheel.arm(after->deadline, 200ms);
  walk(1s);
  EXPECT_EQ(passed, "xy");
  EXPECT_EQ(self, nullptr);
}

TEST_F(Wheel, LetsACallbackArmItselfAgain) {
  std::vector<Time> times;
  Guarded again([] {});
  again.on_passed = [&] {
    times.push_back(now);
    if (times.size() < 4) wheel.arm(again.deadline, 1s);
  };
  wheel.arm(again.deadline, 1s);
  walk(10s);
  ASSERT_EQ(times.size(), 4U);
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_GE(times[i] - times[i - 1], 1s);
}

// A deadline of exactly a turn falls into the slot that is being emptied.
TEST_F(Wheel, LetsACallbackArmItselfForAWholeTurn) {
  Guarded again([] {});
  again.on_passed = [&] {
    passed += "x";
    wheel.arm(again.deadline, 51'100ms);
  };
  wheel.arm(again.deadline, 100ms);
  walk(51s);
  EXPECT_EQ(passed, "x");
  walk(1s);
  EXPECT_EQ(passed, "xx");
}

TEST_F(Wheel, KeepsALongDeadlineForMoreThanATurn) {
  auto one = guard("x");
  wheel.arm(one->deadline, 200s);
  walk(199s);
  EXPECT_EQ(passed, "");
  walk(2s);
  EXPECT_EQ(passed, "x");
}

TEST_F(Wheel, PassesAllThatIsDueWhenItStoodStill) {
  auto a = guard("a"), b = guard("b"), c = guard("c"), d = guard("d");
  wheel.arm(a->deadline, 100ms);
  wheel.arm(b->deadline, 50s);
  wheel.arm(c->deadline, 300s);
  wheel.arm(d->deadline, 1'000s);
  go(400s);
  std::sort(passed.begin(), passed.end());
  EXPECT_EQ(passed, "abc") << "over seven turns at once";
  go(601s);
  EXPECT_EQ(passed, "abcd");
}

TEST_F(Wheel, StandsStillForExactlyATurn) {
  auto a = guard("a"), b = guard("b");
  wheel.arm(a->deadline, 0ms);
  wheel.arm(b->deadline, 51'200ms);
  go(51'200ms);
  EXPECT_EQ(passed, "a");
  go(200ms);
  EXPECT_EQ(passed, "ab");
}

// A process that was stopped for a while has its deadlines passed late; what is armed on that occasion has its whole
// time.
TEST_F(Wheel, CountsFromNowWhatACallbackArmsAfterAStandstill) {
  for (const auto still : {1s, 20s, 500s}) {
    passed.clear();
    auto other = guard("o");
    Guarded late([&] { wheel.arm(other->deadline, 300ms); });
    wheel.arm(late.deadline, 100ms);
    go(still);
    EXPECT_EQ(passed, "") << still.count();
    EXPECT_TRUE(other->deadline.is_armed());
    go(299ms);
    EXPECT_EQ(passed, "") << still.count();
    go(201ms);
    EXPECT_EQ(passed, "o") << still.count();
  }
}

TEST_F(Wheel, TakesATimeThatIsOverForTheNextTick) {
  auto one = guard("x");
  wheel.arm(one->deadline, -5s);
  walk(200ms);
  EXPECT_EQ(passed, "x");
}

TEST_F(Wheel, DoesNotGoBack) {
  auto one = guard("x");
  wheel.arm(one->deadline, 1s);
  wheel.advance(now - 10s);
  wheel.advance(now);
  EXPECT_EQ(passed, "");
  walk(1'200ms);
  EXPECT_EQ(passed, "x");
}

TEST_F(Wheel, DisarmsWhatIsLeftWhenItEnds) {
  auto one = guard("x");
  {
    DeadlineWheel other;
    other.start_at(now);
    other.arm(one->deadline, 1s);
  }
  EXPECT_FALSE(one->deadline.is_armed());
}

TEST_F(Wheel, AgreesWithAPlainListOfTimes) {
  std::mt19937 random(20'250'615);
  const auto below = [&](int end) { return std::uniform_int_distribution<int>(0, end - 1)(random); };
  struct Entry {
    std::unique_ptr<Guarded> guarded;
    std::optional<Time> due;
  };
  std::vector<Entry> entries(20);
  for (auto& entry : entries) {
    entry.guarded = std::make_unique<Guarded>([this, &entry] {
      ASSERT_TRUE(entry.due) << "passed, but was not armed";
      EXPECT_GE(now, *entry.due) << "passed early";
      entry.due.reset();
    });
  }
  for (int round = 0; round < 5'000; ++round) {
    Entry& entry = entries[static_cast<std::size_t>(below(20))];
    if (below(5) == 0) {
      entry.guarded->deadline.disarm();
      entry.due.reset();
    } else {
      const std::chrono::milliseconds after(below(3) == 0 ? below(200'000) : below(3'000));
      wheel.arm(entry.guarded->deadline, after);
      entry.due = now + after;
    }
    go(std::chrono::milliseconds(below(50) == 0 ? below(150'000) : below(400)));
    for (const auto& one : entries) {
      EXPECT_EQ(one.guarded->deadline.is_armed(), one.due.has_value());
      if (one.due) {
        EXPECT_LT(now - *one.due, 2 * DeadlineWheel::tick) << "passed late";
      }
    }
    ASSERT_FALSE(HasFailure());
  }
}

}  // namespace
}  // namespace keygate::proxy
