// Redis is killed, frozen, slow, in trouble, flushed, or has another password: no good request fails for it. Real
// processes; how each fault is seen from within is in unit/keys.
#include "tests/support/fleet.hpp"
#include "tests/support/revoking.hpp"
#include "tests/support/rounds.hpp"
#include "tests/support/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>

namespace keygate::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

milliseconds since(Clock::time_point begin) { return std::chrono::duration_cast<milliseconds>(Clock::now() - begin); }

// A key that nobody has asked for yet, asked for at proxy 0; where the answer came from.
std::string source_of_a_cold_key(const Fleet& fleet) {
  const Key key = fleet.service.create();
  EXPECT_EQ(outcome_at(fleet.proxy(0), key, "/v1/" + key.id), "200 ok");
  return text_of(fleet.proxy(0).wait_for_log_of("/v1/" + key.id), "source");
}

// A key that the other proxy has put into Redis is found there: proxy 0 reads, proxy 1 has written.
bool is_redis_in_use(const Fleet& fleet) {
  const Key key = fleet.service.create();
  EXPECT_EQ(outcome_at(fleet.proxy(1), key), "200 ok");
  if (!eventually([&] { return fleet.redis.command({"EXISTS", fleet.redis_key(key)}) == "1"; }, milliseconds(100))) {
    return false;
  }
  EXPECT_EQ(outcome_at(fleet.proxy(0), key, "/v1/" + key.id), "200 ok");
  return text_of(fleet.proxy(0).wait_for_log_of("/v1/" + key.id), "source") == "redis";
}

// Records live for a second, so that Redis is asked all the time.
class RedisDownUnderLoad : public testing::Test {
 protected:
  void begin() {
    for (const auto& proxy : fleet.proxies()) rounds.push_back(std::make_unique<Rounds>(*proxy, keys));
    go_round();
  }

  void go_round() {
    for (const auto& lane : rounds) {
      const std::size_t before = lane->done();
      EXPECT_TRUE(eventually([&] { return lane->done() >= before + 2; }));
    }
  }

  void TearDown() override {
    for (const auto& lane : rounds) {
      lane->stop();
      EXPECT_THAT(lane->surprises(), ElementsAre()) << "no answer but grants was due";
      EXPECT_EQ(lane->denied_keys() + lane->cuts(), 0U);
      EXPECT_GT(lane->done(), 2U);
    }
  }

  Fleet fleet{{.staleness_bound = "1s", .threads = {1, 1}}};
  std::vector<Key> keys = fleet.make_keys(50);
  std::vector<std::unique_ptr<Rounds>> rounds;
};

TEST_F(RedisDownUnderLoad, F01_KilledAndStartedAgainNobodyNotices) {
  begin();
  fleet.redis.kill();
  go_round();
  EXPECT_EQ(source_of_a_cold_key(fleet), "service");
  fleet.redis.start();
  EXPECT_TRUE(eventually([&] { return is_redis_in_use(fleet); }, seconds(3) + slack));
}

TEST_F(RedisDownUnderLoad, F02_FrozenNobodyWaitsForItForLong) {
  begin();
  fleet.redis.freeze();
  // The breaker opens after five time limits of 50 ms; a command a second may be tried after that.
  milliseconds waited{0};
  for (const Key& cold : fleet.make_keys(20)) {
    const auto begin = Clock::now();
    EXPECT_EQ(outcome_at(fleet.proxy(0), cold), "200 ok");
    waited += since(begin);
  }
  EXPECT_LE(waited, milliseconds(1000) + slack);
  EXPECT_EQ(source_of_a_cold_key(fleet), "service");
  fleet.redis.thaw();
  EXPECT_TRUE(eventually([&] { return is_redis_in_use(fleet); }, seconds(3) + slack));
}

TEST_F(RedisDownUnderLoad, C04F03_SlowNobodyIsGivenAnothersIdentity) {
  fleet.redis_relay.delay(milliseconds(200));  // and 50 are waited for
  begin();
  const auto begin = Clock::now();
  EXPECT_TRUE(eventually([&] { return since(begin) >= seconds(2); }));
  EXPECT_GT(fleet.redis_relay.connections(), 4U) << "no connection was late, and nothing was tested";
}

TEST_F(RedisDownUnderLoad, F04_GarbledNobodyNotices) {
  begin();
  const std::size_t before = fleet.redis_relay.connections();
  fleet.redis_relay.garble();
  EXPECT_TRUE(eventually([&] { return fleet.redis_relay.connections() >= before + 4; }));
  go_round();
  fleet.redis_relay.let_through();
  EXPECT_TRUE(eventually([&] { return is_redis_in_use(fleet); }, seconds(3) + slack));
}

TEST_F(RedisDownUnderLoad, F06_BusyNobodyNotices) {
  begin();
  fleet.redis.command({"CONFIG", "SET", "busy-reply-threshold", "10"});
  auto script = std::async(std::launch::async, [&] { return fleet.redis.command({"EVAL", "while true do end", "0"}); });
  EXPECT_TRUE(eventually([&] { return fleet.redis.command({"PING"}).find("BUSY") != std::string::npos; }));
  go_round();
  EXPECT_EQ(source_of_a_cold_key(fleet), "service");
  EXPECT_EQ(fleet.redis.command({"SCRIPT", "KILL"}), "OK");
  script.get();
  EXPECT_TRUE(eventually([&] { return is_redis_in_use(fleet); }, seconds(3) + slack));
}

TEST_F(RedisDownUnderLoad, F06_WithoutItsPrimaryNobodyNoticesAndConnectionsAreFew) {
  begin();
  fleet.redis.command({"CONFIG", "SET", "replica-serve-stale-data", "no"});
  fleet.redis.command({"REPLICAOF", "127.0.0.1", "1"});
  const std::size_t before = fleet.redis_relay.connections();
  const auto begin = Clock::now();
  EXPECT_TRUE(eventually([&] { return since(begin) >= seconds(2); }));
  EXPECT_EQ(source_of_a_cold_key(fleet), "service");
  // A second for each connection, of which there are two a proxy; the first ones end at once.
  EXPECT_LE(fleet.redis_relay.connections() - before, 4U * 4U);
  fleet.redis.command({"REPLICAOF", "NO", "ONE"});
  EXPECT_TRUE(eventually([&] { return is_redis_in_use(fleet); }, seconds(3) + slack));
}

TEST_F(RedisDownUnderLoad, F10_FlushedNobodyNotices) {
  begin();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(fleet.redis.command({"FLUSHALL"}), "OK");
    EXPECT_EQ(fleet.redis.command({"SCRIPT", "FLUSH"}), "OK");
    go_round();
  }
  EXPECT_TRUE(eventually([&] { return is_redis_in_use(fleet); }, seconds(3) + slack));
}

TEST(RedisPassword, F08_IsRefusedAndTakenAnewByAReload) {
  Fleet fleet({.redis = {.password = "the first password"}, .threads = {1, 1}});
  EXPECT_TRUE(eventually([&] { return is_redis_in_use(fleet); }));
  fleet.redis.command({"CONFIG", "SET", "requirepass", "the second password"});
  fleet.redis_relay.cut_once();
  for (const auto& proxy : fleet.proxies()) {
    EXPECT_TRUE(eventually([&] { return proxy->errors().find("refuses us") != std::string::npos; })) << proxy->errors();
    EXPECT_THAT(proxy->errors(), HasSubstr(R"("level":"error")"));
    EXPECT_EQ(proxy->readiness(), 200);
  }
  EXPECT_EQ(source_of_a_cold_key(fleet), "service");
  fleet.write_redis_password("the second password");
  for (const auto& proxy : fleet.proxies()) proxy->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return is_redis_in_use(fleet); }));
  for (const auto& proxy : fleet.proxies()) {
    EXPECT_EQ(proxy->errors().find("the second password"), std::string::npos) << "a secret in the log";
  }
}

}  // namespace
}  // namespace keygate::test
