#include "keys/redis_subscription.hpp"

#include "tests/unit/keys/redis_rig.hpp"
#include "tests/unit/keys/scripted_redis.hpp"

namespace keygate::keys {
namespace {

const std::string channel = "keygate:v1:invalidate";
const KeyDigest digest = *digest_from_hex("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");

class Listener {
 public:
  explicit Listener(const RedisLinkSettings& settings)
      : subscription(
            io, settings, channel,
            {[this](const KeyDigest& heard) { messages.push_back(heard); }, [this] { ++ups; }, [this] { ++downs; }}) {}

  bool hears(std::size_t count) {
    return run_until(io, [&] { return messages.size() == count; });
  }
  bool is_up(int times) {
    return run_until(io, [&] { return ups == times; });
  }
  bool is_down(int times) {
    return run_until(io, [&] { return downs == times; });
  }

  net::io_context io{1};
  std::vector<KeyDigest> messages;
  int ups = 0;
  int downs = 0;
  RedisSubscription subscription;
};

TEST(RedisSubscription, HearsOfEachDigestThatIsPublished) {
  const test::Redis redis;
  Listener listener(settings_for(redis.port()));
  EXPECT_FALSE(listener.subscription.is_up());
  ASSERT_TRUE(listener.is_up(1));
  EXPECT_TRUE(listener.subscription.is_up());
  redis.command({"PUBLISH", channel, to_hex(digest)});
  redis.command({"PUBLISH", "another channel", to_hex(digest)});
  redis.command({"PUBLISH", channel, to_hex(digest)});
  ASSERT_TRUE(listener.hears(2));
  EXPECT_EQ(listener.messages.back(), digest);
}

TEST(RedisSubscription, MessagesThatAreNoDigestAreCounted) {
  const test::Redis redis;
  Listener listener(settings_for(redis.port()));
  ASSERT_TRUE(listener.is_up(1));
  for (const std::string& text : {std::string(), std::string("all"), std::string(64, 'G'), to_hex(digest) + "0"}) {
    redis.command({"PUBLISH", channel, text});
  }
  redis.command({"PUBLISH", channel, to_hex(digest)});
  ASSERT_TRUE(listener.hears(1));
  EXPECT_EQ(listener.subscription.counters().unfit_messages, 4U);
}

TEST(RedisSubscription, F13_TellsOfALossAndOfItsReturn) {
  test::Redis redis;
  Listener listener(settings_for(redis.port()));
  ASSERT_TRUE(listener.is_up(1));
  redis.kill();
  ASSERT_TRUE(listener.is_down(1));
  EXPECT_FALSE(listener.subscription.is_up());
  redis.start();
  ASSERT_TRUE(listener.is_up(2));
  redis.command({"PUBLISH", channel, to_hex(digest)});
  ASSERT_TRUE(listener.hears(1));
  EXPECT_EQ(listener.downs, 1);
}

TEST(RedisSubscription, F02_NoticesAFrozenRedisWithinTwoSeconds) {
  const test::Redis redis;
  Listener listener(settings_for(redis.port()));
  ASSERT_TRUE(listener.is_up(1));
  redis.freeze();
  const auto begin = Clock::now();
  ASSERT_TRUE(listener.is_down(1));
  EXPECT_LT(Clock::now() - begin, 3s) << "two, and some for a loaded machine";
  redis.thaw();
  EXPECT_TRUE(listener.is_up(2));
}

TEST(RedisSubscription, AQuietOneStaysUp) {
  const test::Redis redis;
  Listener listener(settings_for(redis.port()));
  ASSERT_TRUE(listener.is_up(1));
  EXPECT_FALSE(run_until(
      listener.io, [&] { return listener.downs > 0; }, 2500ms))
      << "over two heartbeats";
}

TEST(RedisSubscription, F08_AChannelThatIsNotPermittedIsTriedAgainOnceASecond) {
  const test::Redis redis(
      test::RedisOptions{.username = "proxy", .password = "p", .permissions = "~* resetchannels +@all"});
  RedisLinkSettings settings = settings_for(redis.port());
  settings.redis.username = "proxy";
  settings.password = "p";
  Listener listener(settings);
  EXPECT_FALSE(run_until(
      listener.io, [&] { return listener.ups > 0; }, 500ms));
  redis.command({"ACL", "SETUSER", "proxy", "&" + channel});
  EXPECT_TRUE(listener.is_up(1));
  EXPECT_EQ(listener.downs, 0);
}

TEST(RedisSubscription, F04_NonsenseEndsIt) {
  test::ScriptedRedis server([](const auto& words) -> std::optional<std::string> {
    return words.at(0) == "PING" ? "+PONG\r\n" : "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n:7\r\n";
  });
  Listener listener(settings_for(server.port()));
  ASSERT_TRUE(listener.is_up(1));
  EXPECT_TRUE(listener.is_down(1));
}

TEST(RedisSubscription, NewSettingsAreTaken) {
  const test::Redis redis, another;
  Listener listener(settings_for(redis.port()));
  ASSERT_TRUE(listener.is_up(1));
  listener.subscription.apply(settings_for(another.port()));
  ASSERT_TRUE(listener.is_up(2));
  EXPECT_EQ(listener.downs, 1);
  another.command({"PUBLISH", channel, to_hex(digest)});
  EXPECT_TRUE(listener.hears(1));
}

}  // namespace
}  // namespace keygate::keys
