#include "keys/limit_table.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t noon = 20'000 * 86'400 * second + 43'200 * second;

KeyDigest counter(std::uint64_t number) {
  KeyDigest digest;
  for (std::size_t i = 0; i < sizeof number; ++i) {
    digest.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    digest.bytes[31 - i] = digest.bytes[i];
  }
  return digest;
}

LimitUse use(std::uint64_t number, std::uint64_t limit = 10, std::chrono::seconds window = 1h) {
  return {{limit, window, {.key = true}}, counter(number)};
}

int passed_of(LimitTable& table, const LimitUses& uses, int requests, std::int64_t now = noon) {
  int passed = 0;
  for (int i = 0; i < requests; ++i) passed += table.spend(uses, now).has_passed ? 1 : 0;
  return passed;
}

TEST(LimitTable, CountsEachCounterByItself) {
  LimitTable table;
  EXPECT_EQ(passed_of(table, {use(1)}, 20), 10);
  EXPECT_EQ(passed_of(table, {use(2)}, 20), 10);
  EXPECT_EQ(table.size(), 2U);
}

TEST(LimitTable, WhoIsRefusedByOneLimitTakesNothingFromTheOthers) {
  LimitTable table;
  const LimitUses both{use(1, 3), use(2, 8, 24h)};
  EXPECT_EQ(passed_of(table, both, 20), 3);
  const auto verdict = table.spend(both, noon);
  EXPECT_FALSE(verdict.has_passed);
  EXPECT_EQ(verdict.standing.limit, 3U) << "the one that makes wait is told";
  EXPECT_EQ(verdict.standing.retry_after, 1200);
  EXPECT_EQ(passed_of(table, {use(2, 8, 24h)}, 20), 5) << "of eight";
}

TEST(LimitTable, TheTightestOfThoseThatPassedIsTold) {
  LimitTable table;
  const auto verdict = table.spend(LimitUses{use(1, 100), use(2, 5), use(3, 50)}, noon);
  EXPECT_TRUE(verdict.has_passed);
  EXPECT_EQ(verdict.standing.limit, 5U);
  EXPECT_EQ(verdict.standing.remaining, 4U);
  EXPECT_EQ(verdict.standing.retry_after, 0);
}

TEST(LimitTable, WhatRedisHasCountedIsSpentHereToo) {
  LimitTable table;
  const LimitUses uses{use(1), use(2, 10, 24h)};
  Counts counts{{noon + 7 * 360 * second, 0}, {noon / (86'400 * second), 4}};
  table.learn(uses, counts, noon);
  counts[0].mark = noon + 2 * 360 * second;  // an older answer that comes late
  counts[1].used = 2;
  table.learn(uses, counts, noon);
  EXPECT_EQ(passed_of(table, {use(1)}, 20), 3);
  EXPECT_EQ(passed_of(table, {use(2, 10, 24h)}, 20), 6);
}

TEST(LimitTable, KeepsRedisClockWhileThatCannotBeAsked) {
  LimitTable table;
  const std::chrono::steady_clock::time_point at{5s};
  EXPECT_EQ(table.clock(at), std::nullopt);
  table.set_clock(noon, at);
  EXPECT_EQ(table.clock(at + 3s), noon + 3 * second);
}

TEST(LimitTable, StaysBoundedAndForgetsWhatForgivesLeast) {
  LimitTable table(LimitTable::shards * 16);
  const std::uint64_t spender = 1'000'000;
  EXPECT_EQ(passed_of(table, {use(spender, 10, 24h)}, 10), 10);
  for (std::uint64_t i = 0; i < 10'000; ++i) passed_of(table, {use(i, 10, 24h)}, 1);
  EXPECT_LE(table.size(), LimitTable::shards * 16);
  EXPECT_EQ(passed_of(table, {use(spender, 10, 24h)}, 5), 0) << "a flood of addresses buys nobody a new day";
}

TEST(LimitTable, ForgetsWhatIsOverFirst) {
  LimitTable table(LimitTable::shards * 16);
  for (std::uint64_t i = 0; i < 10'000; ++i) passed_of(table, {use(i, 10, 1s)}, 10);
  passed_of(table, {use(1'000'000, 10, 1h)}, 1);
  for (std::uint64_t i = 10'000; i < 10'640; ++i) passed_of(table, {use(i, 10, 1s)}, 10, noon + 10 * second);
  EXPECT_EQ(passed_of(table, {use(1'000'000, 10, 1h)}, 20, noon), 9);
}

TEST(LimitTableConcurrent, ExactlyTheLimitPasses) {
  LimitTable table;
  const LimitUses uses{use(1, 1'000), use(2, 5'000, 24h), use(3, 5'000, 24h)};
  const LimitUses turned{uses[2], uses[0], uses[1]};
  std::atomic<int> passed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] { passed += passed_of(table, i % 2 == 0 ? uses : turned, 1'000); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(passed, 1'000);
  EXPECT_EQ(passed_of(table, {uses[1]}, 5'000), 4'000);
}

}  // namespace
}  // namespace keygate::keys
