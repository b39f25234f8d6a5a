// Limits in a real Redis, and what becomes of them while it is in trouble.
#include "keys/rate_limiter.hpp"

#include "tests/unit/keys/redis_rig.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace keygate::keys {
namespace {

using test::Redis;
using testing::HasSubstr;

LimitUse use(std::uint8_t number, std::uint64_t limit, std::chrono::seconds window = 1h) {
  LimitUse made{{limit, window, {.key = true}}, {}};
  made.counter.bytes.fill(number);
  return made;
}

// One process with a worker: a link, a table and a limiter.
class Proxy {
 public:
  explicit Proxy(const RedisLinkSettings& settings) : rig_(settings) {
    EXPECT_TRUE(rig_.connects());
    RateLimiter::Parts parts;
    parts.table = &table_;
    parts.link = &rig_.link();
    limiter_ = std::make_unique<RateLimiter>(rig_.io(), parts);
  }

  LimitVerdict spend(const LimitUses& uses) {
    if (!limiter_->asks()) return limiter_->spend_here(uses);
    std::optional<LimitVerdict> verdict;
    net::co_spawn(
        rig_.io(), [&]() -> Awaitable<void> { verdict = co_await limiter_->spend(uses); }, net::detached);
    EXPECT_TRUE(run_until(rig_.io(), [&] { return verdict.has_value(); }));
    return verdict.value_or(LimitVerdict{});
  }
  int passed_of(const LimitUses& uses, int requests) {
    int passed = 0;
    for (int i = 0; i < requests; ++i) passed += spend(uses).has_passed ? 1 : 0;
    return passed;
  }
  // Whether Redis is asked again, sooner or later.
  bool returns(const LimitUses& uses) {
    return test::eventually([&] {
      spend(uses);
      return !table_.is_alone();
    });
  }

  const LimitTable& table() const { return table_; }
  const RateLimiterCounters& counters() const { return limiter_->counters(); }
  const RedisCounters& sent() { return rig_.link().counters(); }

 private:
  LimitTable table_;
  LinkRig rig_;
  std::unique_ptr<RateLimiter> limiter_;
};

RedisLinkSettings quick(const Redis& redis) {
  RedisLinkSettings settings = settings_for(redis.port());
  settings.redis.timeout = 500ms;
  return settings;
}

TEST(RateLimiter, ProxiesShareWhatRedisCounts) {
  const Redis redis;
  Proxy a(settings_for(redis.port())), b(settings_for(redis.port()));
  const LimitUses uses{use(1, 10), use(2, 100, 24h)};
  EXPECT_EQ(a.passed_of(uses, 4), 4);
  EXPECT_EQ(b.passed_of(uses, 20), 6);
  EXPECT_EQ(a.passed_of(uses, 3), 0);
  EXPECT_EQ(a.counters().in_redis, 7U);
  EXPECT_EQ(a.counters().refused, 3U);
  EXPECT_EQ(a.counters().in_process + b.counters().in_process, 0U);
  EXPECT_FALSE(a.table().is_alone());
}

TEST(RateLimiter, AllLimitsOfARequestAreOneRoundTrip) {
  const Redis redis;
  Proxy proxy(settings_for(redis.port()));
  const LimitUses uses{use(1, 10), use(2, 10, 24h), use(3, 10, 60s), use(4, 10, 30s)};
  proxy.spend(uses);
  EXPECT_EQ(proxy.sent().commands, 2U) << "EVALSHA, which Redis does not know yet, and EVAL";
  for (int i = 0; i < 5; ++i) proxy.spend(uses);
  EXPECT_EQ(proxy.sent().commands, 7U);
}

TEST(RateLimiter, ALostScriptIsSentAgainAndNothingIsForgotten) {
  const Redis redis;
  Proxy proxy(settings_for(redis.port()));
  EXPECT_EQ(proxy.passed_of({use(1, 10)}, 4), 4);
  redis.command({"SCRIPT", "FLUSH"});
  EXPECT_EQ(proxy.passed_of({use(1, 10)}, 10), 6);
  EXPECT_EQ(proxy.counters().in_process, 0U);
}

TEST(RateLimiter, F02_AFrozenRedisForgivesNothing) {
  const Redis redis;
  Proxy proxy(quick(redis));
  EXPECT_EQ(proxy.passed_of({use(1, 10)}, 4), 4);
  redis.freeze();
  EXPECT_EQ(proxy.passed_of({use(1, 10)}, 20), 6) << "the six that Redis would have let pass";
  EXPECT_TRUE(proxy.table().is_alone());
  redis.thaw();
  EXPECT_TRUE(proxy.returns({use(9, 1'000)}));
}

TEST(RateLimiter, F01_AKilledRedisIsCountedForAndUsedAgain) {
  Redis redis;
  Proxy proxy(quick(redis));
  EXPECT_EQ(proxy.passed_of({use(1, 10)}, 4), 4);
  redis.kill();
  EXPECT_EQ(proxy.passed_of({use(1, 10)}, 20), 6);
  redis.start();
  EXPECT_TRUE(proxy.returns({use(9, 1'000)}));
}

TEST(RateLimiter, OneRedisThatRefusesWritesIsNotAsked) {
  const Redis redis;
  Proxy proxy(quick(redis));
  redis.command({"REPLICAOF", "127.0.0.1", "1"});
  EXPECT_EQ(proxy.passed_of({use(1, 10)}, 20), 10);
  EXPECT_TRUE(proxy.table().is_alone());
}

TEST(RateLimiter, WhatRedisCannotReadIsCountedHere) {
  const Redis redis;
  Proxy proxy(settings_for(redis.port()));
  redis.command({"LPUSH", limit_name("", use(1, 10).counter), "somebody else's"});
  EXPECT_EQ(proxy.passed_of({use(1, 10)}, 20), 10);
  EXPECT_EQ(proxy.counters().in_process, 20U);
}

TEST(RateLimiter, WithoutRedisTheProcessCounts) {
  net::io_context io;
  LimitTable table;
  RateLimiter::Parts parts;
  parts.table = &table;
  RateLimiter first(io, parts), second(io, parts);
  EXPECT_FALSE(first.asks());
  int passed = 0;
  for (int i = 0; i < 20; ++i) passed += (i % 2 == 0 ? first : second).spend_here({use(1, 10)}).has_passed ? 1 : 0;
  EXPECT_EQ(passed, 10) << "two workers of one process";
  EXPECT_TRUE(table.is_alone());
}

}  // namespace
}  // namespace keygate::keys
