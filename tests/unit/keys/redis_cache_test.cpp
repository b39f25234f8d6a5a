#include "keys/redis_cache.hpp"

#include "tests/unit/keys/redis_rig.hpp"

namespace keygate::keys {
namespace {

using Kind = Cached::Kind;

const KeyDigest digest = *digest_from_hex("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
const std::string name = "keygate:v1:key:" + to_hex(digest);

std::int64_t unix_now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

policy::KeyAnswer ada() {
  return {policy::KeyAnswer::State::valid, {"key_1", "org_1", "ada", policy::Environment::live, {"projects:read"}, {}}};
}

class RedisCacheTest : public testing::Test {
 protected:
  RedisCacheTest() { EXPECT_TRUE(rig.connects()); }

  Result<Cached> get(RedisCache& from, std::chrono::milliseconds bound = 60s) {
    std::optional<Result<Cached>> heard;
    from.get(digest, bound, [&heard](Result<Cached> cached) { heard = std::move(cached); });
    EXPECT_FALSE(heard) << "never before get() returns";
    EXPECT_TRUE(run_until(rig.io(), [&] { return heard.has_value(); }));
    return heard ? *heard : errc::timed_out;
  }
  Kind kind(RedisCache& from, std::chrono::milliseconds bound = 60s) { return get(from, bound)->kind; }

  // Fills, and waits until it is known what became of it.
  void fill(RedisCache& into, std::chrono::milliseconds age, std::chrono::milliseconds bound = 60s,
            const policy::KeyAnswer& answer = ada()) {
    fill(into, life(age, bound), answer);
  }
  void fill(RedisCache& into, const CopyLife& copy, const policy::KeyAnswer& answer = ada()) {
    const auto settled = [&into] {
      return into.counters().fills + into.counters().fills_refused + into.counters().fill_errors;
    };
    const auto before = settled();
    into.fill(digest, answer, copy);
    ASSERT_TRUE(run_until(rig.io(), [&] { return settled() > before; }));
  }

  // Redis runs on this machine, so that its clock is ours.
  static CopyLife life(std::chrono::milliseconds age, std::chrono::milliseconds bound = 60s) {
    return {age, bound, std::chrono::milliseconds(unix_now_ms()) - age + bound};
  }

  std::int64_t ttl() { return std::stoll(redis.command({"PTTL", name})); }

  static RecordCodec plain() { return {"", RecordSubject::key, {}}; }
  static RecordCodec signing() { return {"", RecordSubject::key, {"a signing key"}}; }

  const test::Redis redis;
  LinkRig rig{settings_for(redis.port())};
  RedisCache cache{rig.link(), plain()};
};

TEST_F(RedisCacheTest, MissesWhatNobodyPutThere) {
  EXPECT_EQ(kind(cache), Kind::miss);
  EXPECT_EQ(cache.counters().misses, 1U);
}

TEST_F(RedisCacheTest, KnowsWhatAnotherHasFilledAndHowOldItIs) {
  fill(cache, 20s);
  EXPECT_LE(ttl(), 40'000);
  EXPECT_GT(ttl(), 20'000);
  RedisCache another(rig.link(), plain());
  const Result<Cached> cached = get(another);
  ASSERT_EQ(cached->kind, Kind::record);
  EXPECT_GE(cached->found.age, 20s);
  EXPECT_LT(cached->found.age, 40s);
  EXPECT_EQ(cached->found.answer.principal.organization, "org_1");
  EXPECT_EQ(cached->found.answer.state, policy::KeyAnswer::State::valid);
}

TEST_F(RedisCacheTest, TellsTheTimeOfItsOwnClock) {
  const auto before = std::chrono::milliseconds(unix_now_ms());
  std::optional<Result<std::chrono::milliseconds>> told;
  cache.tell_time([&told](Result<std::chrono::milliseconds> time) { told = time; });
  EXPECT_FALSE(told) << "never before tell_time() returns";
  ASSERT_TRUE(run_until(rig.io(), [&] { return told.has_value(); }));
  ASSERT_TRUE(told->has_value());
  EXPECT_GE(**told, before);
  EXPECT_LE(**told, std::chrono::milliseconds(unix_now_ms()));
}

TEST_F(RedisCacheTest, C05_ACopyThatGetsThereLateEndsWhenItWouldHave) {
  CopyLife late = life(0s);
  late.ends_at -= 50s;  // it took so long, and whoever wrote it could not know
  fill(cache, late);
  EXPECT_EQ(kind(cache), Kind::record);
  EXPECT_LE(ttl(), 10'000);
  late.ends_at -= 10s;
  fill(cache, late);
  EXPECT_EQ(kind(cache), Kind::miss);
  EXPECT_EQ(redis.command({"EXISTS", name}), "0");
}

TEST_F(RedisCacheTest, KeepsNothingButWhatIsValidAndYoungerThanTheBound) {
  cache.fill(digest, {policy::KeyAnswer::State::revoked, {}}, life(0s));
  cache.fill(digest, {policy::KeyAnswer::State::unknown, {}}, life(0s));
  cache.fill(digest, ada(), life(60s));
  policy::KeyAnswer unpresentable = ada();
  unpresentable.principal.organization = "org\r\n";
  cache.fill(digest, unpresentable, life(0s));
  EXPECT_EQ(kind(cache), Kind::miss);
  EXPECT_EQ(redis.command({"DBSIZE"}), "0");
}

TEST_F(RedisCacheTest, C06_AFillNeverTakesThePlaceOfATombstone) {
  for (const WireRecord::Kind state : {WireRecord::Kind::revoked, WireRecord::Kind::changed}) {
    for (const RecordCodec& codec : {plain(), signing()}) {
      WireRecord tombstone;
      tombstone.kind = state;
      tombstone.issued_at_ms = unix_now_ms() - 30'000;
      redis.command({"SET", name, *codec.encode(digest, tombstone), "EX", "60"});
      RedisCache writer(rig.link(), codec);
      fill(writer, 0s);
      EXPECT_EQ(writer.counters().fills_refused, 1U);
      EXPECT_EQ(kind(writer), state == WireRecord::Kind::revoked ? Kind::revoked : Kind::changed);
    }
  }
}

TEST_F(RedisCacheTest, F27_ANewerRecordStays) {
  fill(cache, 5s);
  policy::KeyAnswer older = ada();
  older.principal.organization = "org_of_before";
  fill(cache, 10s, 60s, older);
  EXPECT_EQ(cache.counters().fills_refused, 1U);
  EXPECT_EQ(get(cache)->found.answer.principal.organization, "org_1");
  fill(cache, 0s, 60s, older);
  EXPECT_EQ(get(cache)->found.answer.principal.organization, "org_of_before") << "younger, it takes its place";
}

TEST_F(RedisCacheTest, F12_NonsenseIsAMissAndMayBeReplaced) {
  const std::string in_a_year = std::to_string(unix_now_ms() + 31'536'000'000);
  for (const std::string& value :
       {std::string("nonsense"), std::string("[1]"), std::string("\0\xFF", 2), std::string("{}"),
        R"({"state":"valid","issued_at":)" + in_a_year + "}", R"({"issued_at":"x"})" + std::string()}) {
    redis.command({"SET", name, value});
    EXPECT_EQ(kind(cache), Kind::miss) << value;
    fill(cache, 0s);
    EXPECT_EQ(kind(cache), Kind::record) << value;
  }
  EXPECT_EQ(cache.counters().flaws[static_cast<std::size_t>(RecordFlaw::malformed)], 3U);
  EXPECT_EQ(cache.counters().flaws[static_cast<std::size_t>(RecordFlaw::wrong_version)], 3U);
}

TEST_F(RedisCacheTest, F12_ARecordWithoutATtlIsAMiss) {
  fill(cache, 0s);
  redis.command({"PERSIST", name});
  EXPECT_EQ(kind(cache), Kind::miss);
  EXPECT_EQ(cache.counters().unfit_ages, 1U);
}

TEST_F(RedisCacheTest, F12_ATtlOverTheBoundIsAMiss) {
  fill(cache, 0s);
  redis.command({"PEXPIRE", name, "600000"});
  EXPECT_EQ(kind(cache), Kind::miss);
}

TEST_F(RedisCacheTest, ARecordIsNotServedPastTheReadersBound) {
  fill(cache, 20s, 120s);
  EXPECT_EQ(kind(cache, 60s), Kind::record);
  EXPECT_EQ(kind(cache, 15s), Kind::miss);
}

TEST_F(RedisCacheTest, ATombstoneRefusesWhateverItsTtl) {
  redis.command({"SET", name, R"({"v":1,"digest":")" + to_hex(digest) + R"(","state":"revoked"})"});
  EXPECT_EQ(kind(cache), Kind::revoked);
  redis.command({"SET", name, R"({"v":1,"digest":")" + to_hex(digest) + R"(","state":"changed"})", "EX", "600"});
  EXPECT_EQ(kind(cache), Kind::changed);
}

TEST_F(RedisCacheTest, C07_WhatIsNotSignedIsAMissAndATombstoneOfAnyoneIsChanged) {
  RedisCache strict(rig.link(), signing());
  fill(cache, 0s);
  EXPECT_EQ(kind(strict), Kind::miss);
  EXPECT_EQ(strict.counters().flaws[static_cast<std::size_t>(RecordFlaw::unsigned_record)], 1U);
  redis.command({"DEL", name});
  fill(strict, 0s);
  EXPECT_EQ(kind(strict), Kind::record);
  EXPECT_EQ(kind(cache), Kind::record) << "who does not sign does not look at signatures";
  redis.command({"SET", name, R"({"v":1,"digest":")" + to_hex(digest) + R"(","state":"revoked"})", "EX", "60"});
  EXPECT_EQ(kind(strict), Kind::changed);
}

TEST_F(RedisCacheTest, C07_AReloadChangesWhoseSignatureIsBelieved) {
  RedisCache strict(rig.link(), signing());
  fill(strict, 0s);
  EXPECT_EQ(kind(strict), Kind::record);
  strict.apply(RecordCodec("", RecordSubject::key, {"another signing key"}));
  EXPECT_EQ(kind(strict), Kind::miss);
  strict.apply(RecordCodec("", RecordSubject::key, {"another signing key", "a signing key"}));
  EXPECT_EQ(kind(strict), Kind::record);
}

TEST_F(RedisCacheTest, F07_AReplicaIsReadAndNotWrittenTo) {
  fill(cache, 0s);
  redis.command({"REPLICAOF", "127.0.0.1", "1"});
  fill(cache, 0s);
  EXPECT_EQ(cache.counters().fill_errors, 1U);
  EXPECT_EQ(kind(cache), Kind::record);
  EXPECT_FALSE(rig.link().takes_writes());
  EXPECT_EQ(rig.link().condition(), RedisCondition::read_only);
  const auto commands = rig.link().counters().commands;
  cache.fill(digest, ada(), life(0s));
  EXPECT_EQ(rig.link().counters().commands, commands) << "dropped";
}

TEST_F(RedisCacheTest, F09_SomethingThatIsNoStringIsLeftAlone) {
  redis.command({"RPUSH", name, "a"});
  EXPECT_EQ(get(cache).error(), errc::unavailable);
  fill(cache, 0s);
  EXPECT_EQ(cache.counters().fill_errors, 1U);
  EXPECT_EQ(redis.command({"TYPE", name}), "list");
  EXPECT_TRUE(rig.link().is_ready());
}

TEST_F(RedisCacheTest, F09_AFullRedisIsReadStill) {
  fill(cache, 0s);
  redis.command({"CONFIG", "SET", "maxmemory", "1"});
  fill(cache, 0s);
  EXPECT_EQ(cache.counters().fill_errors, 1U);
  EXPECT_EQ(kind(cache), Kind::record);
}

TEST_F(RedisCacheTest, F10_AFlushedRedisIsFilledAgain) {
  fill(cache, 0s);
  redis.command({"FLUSHALL"});
  redis.command({"SCRIPT", "FLUSH"});
  EXPECT_EQ(kind(cache), Kind::miss);
  fill(cache, 0s);
  EXPECT_EQ(kind(cache), Kind::record);
}

TEST_F(RedisCacheTest, ARecordOfASessionIsAtAnotherName) {
  RedisCache sessions(rig.link(), RecordCodec("", RecordSubject::session, {}));
  fill(cache, 0s);
  EXPECT_EQ(kind(sessions), Kind::miss);
}

}  // namespace
}  // namespace keygate::keys
