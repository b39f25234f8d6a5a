// The script in a real Redis, with times of the test's own: it counts as the process does.
#include "keys/limit_script.hpp"

#include "keys/limit_table.hpp"
#include "tests/support/redis.hpp"

#include <gtest/gtest.h>

#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;
using test::Redis;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t hour = 3'600 * second;
constexpr std::int64_t midnight = 20'000 * 24 * hour;

LimitUse use(std::uint8_t number, std::uint64_t limit, std::chrono::seconds window) {
  LimitUse made{{limit, window, {.key = true}}, {}};
  made.counter.bytes.fill(number);
  return made;
}

RedisReply as_reply(const std::string& printed) {
  RedisReply reply;
  reply.type = RedisReply::Type::array;
  std::istringstream lines(printed);
  for (std::string line; std::getline(lines, line);) {
    RedisReply element;
    element.type = RedisReply::Type::integer;
    element.integer = std::stoll(line);
    reply.elements.push_back(element);
  }
  return reply;
}

class LimitScript : public testing::Test {
 protected:
  std::optional<LimitAnswer> ask(const LimitUses& uses, std::int64_t now) {
    std::vector<std::string> words{"EVAL", limit_script_with_time_passed_in(), std::to_string(uses.size())};
    for (const auto& one : uses) words.push_back(limit_name("blue:", one.counter));
    for (const auto& argument : limit_arguments(uses)) words.push_back(argument);
    words.push_back(std::to_string(now));
    const std::string printed = redis.command(words);
    if (printed.starts_with("(error)")) {
      ADD_FAILURE() << printed;
      return std::nullopt;
    }
    return read_limit_answer(as_reply(printed), uses.size());
  }
  int passed_of(const LimitUses& uses, int requests, std::int64_t now) {
    int passed = 0;
    for (int i = 0; i < requests; ++i) {
      const auto answer = ask(uses, now);
      passed += answer && answer->has_passed ? 1 : 0;
    }
    return passed;
  }

  Redis redis;
};

TEST_F(LimitScript, OfADayEndsAtMidnightInUtc) {
  const LimitUses daily{use(1, 10, 24h)};
  EXPECT_EQ(passed_of(daily, 12, midnight - 600 * second), 10);
  EXPECT_EQ(passed_of(daily, 2, midnight - 1), 0);
  EXPECT_EQ(passed_of(daily, 12, midnight), 10);
}

TEST_F(LimitScript, OfAnHourKnowsNoHourBoundary) {
  const LimitUses hourly{use(1, 10, 1h)};
  EXPECT_EQ(passed_of(hourly, 12, midnight + hour - second), 10);
  EXPECT_EQ(passed_of(hourly, 2, midnight + hour + second), 0);
  EXPECT_EQ(passed_of(hourly, 3, midnight + hour - second + hour / 10), 1);
}

TEST_F(LimitScript, CountsAsTheProcessDoes) {
  std::mt19937 random(20260101);
  const LimitUses uses{use(1, 7, 60s), use(2, 20, 1h), use(3, 40, 24h), use(4, 3, 30s)};
  LimitTable table;
  std::int64_t now = midnight - 30 * second;
  for (int i = 0; i < 400; ++i) {
    LimitUses some;
    for (const auto& one : uses) {
      if (some.empty() || random() % 2 == 0) some.push_back(one);
    }
    const auto answer = ask(some, now);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->now, now);
    const auto here = table.spend(some, now);
    const auto there = verdict_of(some, answer->counts, answer->has_passed, now);
    ASSERT_EQ(here.has_passed, there.has_passed) << "request " << i;
    EXPECT_EQ(here.standing.remaining, there.standing.remaining);
    EXPECT_EQ(here.standing.reset, there.standing.reset);
    EXPECT_EQ(here.standing.retry_after, there.standing.retry_after);
    now += static_cast<std::int64_t>(random() % (2 * second));
  }
}

TEST_F(LimitScript, TakesNothingWhereOneLimitIsSpent) {
  const LimitUses both{use(1, 3, 1h), use(2, 8, 24h)};
  EXPECT_EQ(passed_of(both, 10, midnight), 3);
  EXPECT_EQ(passed_of({use(2, 8, 24h)}, 10, midnight), 5);
}

TEST_F(LimitScript, LeavesNothingBehindForEver) {
  ask({use(1, 3, 1h), use(2, 8, 24h)}, midnight + hour);
  EXPECT_EQ(redis.command({"DBSIZE"}), "2");
  const std::string hourly = redis.command({"PTTL", limit_name("blue:", use(1, 3, 1h).counter)});
  EXPECT_LE(std::stoll(hourly), 1'200'000);
  EXPECT_GT(std::stoll(hourly), 1'100'000);
  const std::string daily = redis.command({"PTTL", limit_name("blue:", use(2, 8, 24h).counter)});
  EXPECT_LE(std::stoll(daily), 23 * 3'600'000);
  EXPECT_GT(std::stoll(daily), 23 * 3'600'000 - 100'000);
}

TEST_F(LimitScript, WhatSomebodyElseHasWrittenThereCountsAsNothing) {
  redis.command({"SET", limit_name("blue:", use(1, 3, 1h).counter), "plenty"});
  EXPECT_EQ(passed_of({use(1, 3, 1h)}, 5, midnight), 3);
}

TEST_F(LimitScript, TakesItsTimeFromRedis) {
  EXPECT_EQ(limit_script().text.find("ARGV[#ARGV]"), std::string::npos);
  const LimitUses uses{use(1, 3, 1h)};
  std::vector<std::string> words{"EVAL", limit_script().text, "1", limit_name("", uses[0].counter)};
  for (const auto& argument : limit_arguments(uses)) words.push_back(argument);
  const auto answer = read_limit_answer(as_reply(redis.command(words)), 1);
  ASSERT_TRUE(answer);
  const auto shown = std::stoll(redis.command({"TIME"}));
  EXPECT_NEAR(static_cast<double>(answer->now) / second, static_cast<double>(shown), 20);
}

TEST(LimitAnswer, IsNoneWhereItMakesNoSense) {
  RedisReply good = as_reply("1\n1700000000000000\n5\n0");
  EXPECT_TRUE(read_limit_answer(good, 1));
  EXPECT_FALSE(read_limit_answer(good, 2));
  EXPECT_FALSE(read_limit_answer(RedisReply{}, 0));
  EXPECT_FALSE(read_limit_answer(as_reply("2\n1700000000000000\n5\n0"), 1));
  EXPECT_FALSE(read_limit_answer(as_reply("1\n1700000000000000\n-5\n0"), 1));
  good.elements[2].type = RedisReply::Type::string;
  EXPECT_FALSE(read_limit_answer(good, 1));
}

}  // namespace
}  // namespace keygate::keys
