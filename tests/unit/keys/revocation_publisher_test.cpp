#include "keys/revocation_publisher.hpp"

#include "keys/redis_cache.hpp"
#include "keys/redis_revocations.hpp"
#include "keys/redis_subscription.hpp"
#include "tests/support/socket.hpp"
#include "tests/unit/keys/redis_rig.hpp"

#include <cstring>
#include <memory>

namespace keygate::keys {
namespace {

const KeyDigest digest = *digest_from_hex("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
const std::string name = "keygate:v1:key:" + to_hex(digest);

class RevocationPublisherTest : public testing::Test {
 protected:
  RecordCodec codec() const { return {"", RecordSubject::key, {}}; }

  void publish(Tombstone kind, std::chrono::milliseconds bound = 60s) {
    outcome.reset();
    publisher.publish(digest, kind, bound, [this](Result<void> result) { outcome = result; });
    EXPECT_FALSE(outcome) << "never before publish() returns";
  }
  bool settles() {
    return run_until(rig.io(), [this] { return outcome.has_value(); });
  }
  Cached::Kind kind() {
    RedisCache cache(rig.link(), codec());
    std::optional<Cached::Kind> heard;
    cache.get(digest, 60s, [&heard](const Result<Cached>& cached) { heard = cached->kind; });
    EXPECT_TRUE(run_until(rig.io(), [&] { return heard.has_value(); }));
    return *heard;
  }

  test::Redis redis;
  LinkRig rig{settings_for(redis.port())};
  RevocationPublisher publisher{rig.io(), rig.link(), codec()};
  std::optional<Result<void>> outcome;
};

TEST_F(RevocationPublisherTest, LeavesATombstoneAndAMessage) {
  std::vector<KeyDigest> heard;
  bool is_up = false;
  const RedisSubscription subscription(
      rig.io(), settings_for(redis.port()), codec().channel(),
      {[&](const KeyDigest& one) { heard.push_back(one); }, [&] { is_up = true; }, [] {}});
  ASSERT_TRUE(run_until(rig.io(), [&] { return is_up; }));
  publish(Tombstone::revoked);
  ASSERT_TRUE(settles());
  EXPECT_TRUE(outcome->has_value());
  ASSERT_TRUE(run_until(rig.io(), [&] { return !heard.empty(); }));
  EXPECT_EQ(heard.front(), digest);
  EXPECT_EQ(kind(), Cached::Kind::revoked);
  const long long ttl = std::stoll(redis.command({"PTTL", name}));
  EXPECT_GT(ttl, 40'000);
  EXPECT_LE(ttl, 60'000);
  EXPECT_EQ(publisher.pending(), 0U);
  EXPECT_EQ(publisher.counters().published, 1U);
}

TEST_F(RevocationPublisherTest, ChangedDoesNotTakeThePlaceOfRevoked) {
  publish(Tombstone::changed);
  ASSERT_TRUE(settles());
  EXPECT_EQ(kind(), Cached::Kind::changed);
  publish(Tombstone::revoked);
  ASSERT_TRUE(settles());
  EXPECT_EQ(kind(), Cached::Kind::revoked);
  publish(Tombstone::changed);
  ASSERT_TRUE(settles());
  EXPECT_TRUE(outcome->has_value()) << "it was published all the same";
  EXPECT_EQ(kind(), Cached::Kind::revoked);
}

TEST_F(RevocationPublisherTest, TakesThePlaceOfARecord) {
  redis.command({"SET", name, R"({"v":1,"state":"valid"})", "EX", "60"});
  publish(Tombstone::changed);
  ASSERT_TRUE(settles());
  EXPECT_EQ(kind(), Cached::Kind::changed);
}

TEST_F(RevocationPublisherTest, F01_GoesOnTryingUntilRedisIsBack) {
  ASSERT_TRUE(rig.connects());
  redis.kill();
  publish(Tombstone::revoked);
  ASSERT_TRUE(run_until(rig.io(), [this] { return publisher.counters().retries >= 3; }));
  EXPECT_EQ(publisher.pending(), 1U);
  redis.start();
  ASSERT_TRUE(settles());
  EXPECT_TRUE(outcome->has_value());
  EXPECT_EQ(kind(), Cached::Kind::revoked);
}

TEST_F(RevocationPublisherTest, F01_WhereTooMuchWaitsARevocationIsTheLastToBeLetGo) {
  ASSERT_TRUE(rig.connects());
  redis.kill();
  ASSERT_TRUE(run_until(rig.io(), [this] { return !rig.link().is_ready(); }));
  for (std::uint32_t i = 0; i < RevocationPublisher::max_pending; ++i) {
    KeyDigest one;
    std::memcpy(one.bytes.data(), &i, sizeof i);
    publisher.publish(one, Tombstone::changed, 60s, [](const Result<void>&) {});
  }
  publish(Tombstone::changed);
  ASSERT_TRUE(settles());
  EXPECT_EQ(outcome->error(), errc::overloaded);
  EXPECT_EQ(publisher.counters().dropped, 1U);
  publish(Tombstone::revoked);
  redis.start();
  ASSERT_TRUE(settles());
  EXPECT_TRUE(outcome->has_value());
  EXPECT_EQ(kind(), Cached::Kind::revoked);
}

TEST_F(RevocationPublisherTest, F01_GivesUpWhenTheBoundHasPassed) {
  ASSERT_TRUE(rig.connects());
  redis.kill();
  publish(Tombstone::revoked, 1s);
  ASSERT_TRUE(settles());
  EXPECT_EQ(outcome->error(), errc::timed_out);
  EXPECT_EQ(publisher.counters().given_up, 1U);
  EXPECT_EQ(publisher.pending(), 0U);
}

TEST_F(RevocationPublisherTest, C06_WhatWasAskedBeforeCannotPutTheKeyBack) {
  publish(Tombstone::revoked);
  ASSERT_TRUE(settles());
  RedisCache cache(rig.link(), codec());
  const auto in_a_minute = std::chrono::system_clock::now().time_since_epoch() + 60s;
  cache.fill(digest, {policy::KeyAnswer::State::valid, {"key_1", "org_1", "", policy::Environment::none, {}, {}}},
             {0s, 60s, std::chrono::duration_cast<std::chrono::milliseconds>(in_a_minute)});
  ASSERT_TRUE(run_until(rig.io(), [&] { return cache.counters().fills_refused == 1; }));
  EXPECT_EQ(kind(), Cached::Kind::revoked);
}

TEST_F(RevocationPublisherTest, LeavesNothingForTheLoopToWaitForWhenItGoes) {
  net::io_context io{1};
  RedisLinkSettings nobody = settings_for(test::free_port());
  auto sink = std::make_unique<RedisRevocations>(io, nobody, std::vector<std::string>{}, 60s);
  for (int i = 0; i < 3; ++i) sink->changed(digest, KeyChange::revoked, [](bool) {});
  io.run_for(300ms);  // until it rests between two tries
  ASSERT_FALSE(io.stopped());
  sink.reset();
  io.restart();
  while (io.poll() > 0) continue;
  EXPECT_TRUE(io.stopped()) << "a timer is still running";
}

TEST_F(RevocationPublisherTest, SignsWithTheKeysOfAReload) {
  const std::string old_key(32, 'o'), new_key(32, 'n');
  RedisRevocations sink(rig.io(), settings_for(redis.port()), {old_key}, 60s);
  const auto kind_under = [&](const std::string& key) {
    bool is_told = false;
    sink.changed(digest, KeyChange::revoked, [&](bool is_pushed) { is_told = is_pushed; });
    EXPECT_TRUE(run_until(rig.io(), [&] { return is_told; }));
    RedisCache cache(rig.link(), RecordCodec("", RecordSubject::key, {key}));
    std::optional<Cached::Kind> heard;
    cache.get(digest, 60s, [&heard](const Result<Cached>& cached) { heard = cached->kind; });
    EXPECT_TRUE(run_until(rig.io(), [&] { return heard.has_value(); }));
    return *heard;
  };
  EXPECT_EQ(kind_under(old_key), Cached::Kind::revoked);
  sink.apply(settings_for(redis.port()), {new_key}, 60s);
  EXPECT_EQ(kind_under(new_key), Cached::Kind::revoked) << "an unsigned tombstone counts as changed";
}

}  // namespace
}  // namespace keygate::keys
