// A revoked key is refused everywhere, and how soon: a real key server, a real Redis and three proxies under load.
#include "tests/support/revoking.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keygate::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Of the promised second, and of what a sanitizer makes of it.
constexpr milliseconds a_second{is_sanitized ? 3000 : 1000};
constexpr const char* bound = "2s";
constexpr milliseconds bound_length{2000};

TEST(RevocationUnderLoad, C05_TwoHundredKeysAreRefusedByThreeProxiesWithinASecond) {
  const Fleet fleet;  // the bound is a minute: what is seen here is the push
  const std::size_t keys = is_sanitized ? 40 : 200;
  const Spread spread = revoke_under_load(fleet, {.keys = keys});
  spread.print("Redis up");
  EXPECT_EQ(spread.pushed, keys);
  EXPECT_LE(spread.longest_until_denied(), a_second);
}

TEST(RevocationUnderLoad, C05_OverTlsAndWithAUserOfTheAclItIsTheSame) {
  const std::vector<std::pair<std::string, RedisOptions>> kinds{
      {"Redis over TLS", {.has_tls = true}},
      {"Redis with an ACL",
       // What docs/failure-modes.md says is needed, and no more.
       {.username = "keygate",
        .password = "the password of keygate",
        .permissions = "~keygate:v1:* &keygate:v1:invalidate "
                       "+get +pttl +time +set +pexpireat +eval +evalsha +publish +subscribe +ping"}}};
  for (const auto& [what, options] : kinds) {
    const Fleet fleet({.redis = options, .threads = {1, 1}});
    const Spread spread = revoke_under_load(fleet, {});
    spread.print(what);
    EXPECT_EQ(spread.pushed, 20U) << what;
    EXPECT_LE(spread.longest_until_denied(), a_second) << what;
  }
}

// No message comes through, and Redis and the key server know: a record is looked at anew once it is five seconds old.
TEST(RevocationUnderLoad, C05F13_WithoutASubscriptionTheyAreRefusedWithinFiveSeconds) {
  Fleet fleet;
  const auto cut_subscriptions = [&] {
    fleet.redis_relay.refuse_who_says("SUBSCRIBE");
    fleet.redis_relay.cut_once();
  };
  const Spread spread = revoke_under_load(fleet, {.disturb = cut_subscriptions});
  spread.print("without a subscription");
  EXPECT_EQ(spread.pushed, 20U);
  EXPECT_LE(spread.longest_granted(), seconds(5) + slack);
  EXPECT_GT(spread.longest_granted(), a_second) << "they were pushed all the same, or nothing was tested";
}

TEST(RevocationUnderLoad, C05F13_ASubscriptionThatBreaksAllTheTimeCostsNoMoreThanTheBound) {
  Fleet fleet({.staleness_bound = bound});
  std::atomic<bool> is_over = false;
  std::thread cutting;
  const auto keep_cutting = [&] {
    cutting = std::thread([&] {
      while (!is_over) {
        fleet.redis.command({"CLIENT", "KILL", "TYPE", "pubsub"});
      }
    });
  };
  const Spread spread = revoke_under_load(fleet, {.disturb = keep_cutting});
  is_over = true;
  cutting.join();
  spread.print("a subscription that breaks all the time");
  EXPECT_LE(spread.longest_granted(), bound_length + slack);
}

TEST(RevocationUnderLoad, C05F01_WithRedisKilledTheyAreRefusedWithinTheBound) {
  Fleet fleet({.staleness_bound = bound});
  const Spread spread = revoke_under_load(fleet, {.is_at_once = true, .disturb = [&] { fleet.redis.kill(); }});
  spread.print("Redis killed");
  EXPECT_EQ(spread.pushed, 0U);
  EXPECT_LE(spread.longest_granted(), bound_length + slack);
}

TEST(RevocationUnderLoad, C05F02_WithRedisFrozenTheyAreRefusedWithinTheBound) {
  Fleet fleet({.staleness_bound = bound});
  const Spread spread = revoke_under_load(fleet, {.is_at_once = true, .disturb = [&] { fleet.redis.freeze(); }});
  fleet.redis.thaw();
  spread.print("Redis frozen");
  EXPECT_EQ(spread.pushed, 0U);
  EXPECT_LE(spread.longest_granted(), bound_length + slack);
}

// The publication is lost, and so is the tombstone: what is left is the key server's word.
TEST(RevocationUnderLoad, C05F10_AFlushBehindTheRevocationDoesNotBringThemBack) {
  Fleet fleet({.staleness_bound = bound});
  const std::vector<Key> keys = fleet.make_keys(10);
  for (const auto& proxy : fleet.proxies()) {
    for (const Key& key : keys) EXPECT_EQ(outcome_at(*proxy, key), "200 ok");
  }
  for (const Key& key : keys) EXPECT_TRUE(fleet.service.revoke(key.id).is_pushed);
  EXPECT_EQ(fleet.redis.command({"FLUSHALL"}), "OK");
  for (const auto& proxy : fleet.proxies()) {
    for (const Key& key : keys) {
      EXPECT_TRUE(eventually([&] { return outcome_at(*proxy, key) == "401 revoked_key"; }, a_second));
    }
  }
}

}  // namespace
}  // namespace keygate::test
