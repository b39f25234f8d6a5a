// Against a real redis-server.
#include "keys/redis_link.hpp"

#include "tests/support/socket.hpp"
#include "tests/unit/keys/redis_rig.hpp"

#include <gmock/gmock.h>

namespace keygate::keys {
namespace {

using test::Redis;
using test::RedisOptions;
using testing::HasSubstr;

RedisLinkSettings settings_of(const Redis& redis) { return settings_for(redis.port()); }

TEST(RedisLink, AsksAndAnswers) {
  const Redis redis;
  LinkRig rig(settings_of(redis));
  EXPECT_EQ(rig.ask({"SET", "a", "1\r\n2"}), "OK") << "the first command waits for the first connection";
  EXPECT_EQ(rig.ask({"GET", "a"}), "1\r\n2");
  EXPECT_EQ(rig.ask({"GET", "nothing"}), "(nil)");
  EXPECT_EQ(rig.ask({"INCR", "n"}), "1");
  EXPECT_EQ(rig.ask({"GET", ""}), "(nil)");
  EXPECT_EQ(rig.ask({"MGET", "a", "b", "c"}), "an array of 3");
  EXPECT_THAT(rig.ask({"NOSUCH"}), HasSubstr("(error) ERR unknown command"));
  EXPECT_EQ(rig.link().condition(), RedisCondition::well);
  EXPECT_EQ(rig.link().counters().connections, 1U);
}

TEST(RedisLink, SpeaksOverAUnixSocket) {
  const Redis redis;
  RedisLinkSettings settings = settings_of(redis);
  settings.redis.address = {};
  settings.redis.address.socket = redis.socket();
  EXPECT_EQ(LinkRig(settings).ask({"PING"}), "PONG");
}

TEST(RedisLink, ResolvesNamesAndChoosesTheDatabase) {
  const Redis redis;
  RedisLinkSettings settings = settings_of(redis);
  settings.redis.address.host = "localhost";
  settings.redis.address.database = 3;
  LinkRig rig(settings);
  EXPECT_EQ(rig.ask({"SET", "a", "1"}), "OK");
  EXPECT_EQ(redis.command({"GET", "a"}), "(nil)");
}

RedisLinkSettings tls_settings(const Redis& redis) {
  RedisLinkSettings settings = settings_of(redis);
  settings.redis.address.host = "localhost";
  settings.redis.address.is_tls = true;
  settings.redis.ca_file = redis.ca_file();
  return settings;
}

TEST(RedisLink, SpeaksTls) {
  const Redis redis(RedisOptions{.has_tls = true});
  LinkRig rig(tls_settings(redis));
  EXPECT_EQ(rig.ask({"SET", "a", "1"}), "OK");
  EXPECT_EQ(rig.ask({"GET", "a"}), "1");
  RedisLinkSettings by_address = tls_settings(redis);
  by_address.redis.address.host = "127.0.0.1";
  EXPECT_EQ(LinkRig(by_address).ask({"PING"}), "PONG");
}

TEST(RedisLink, F11_BelievesNoCertificateOfAnotherName) {
  const Redis redis(RedisOptions{.has_tls = true, .tls_names = {"DNS:elsewhere.example"}});
  LinkRig rig(tls_settings(redis));
  EXPECT_EQ(rig.ask({"PING"}), unavailable);
  EXPECT_EQ(rig.link().condition(), RedisCondition::down);
}

TEST(RedisLink, F11_BelievesNoCertificateThatHasExpired) {
  const Redis redis(RedisOptions{.has_tls = true, .tls_expires_in = -3600});
  EXPECT_EQ(LinkRig(tls_settings(redis)).ask({"PING"}), unavailable);
}

TEST(RedisLink, F11_BelievesNoAuthorityButTheOneItWasGiven) {
  const Redis redis(RedisOptions{.has_tls = true}), another(RedisOptions{.has_tls = true});
  RedisLinkSettings settings = tls_settings(redis);
  settings.redis.ca_file = another.ca_file();
  EXPECT_EQ(LinkRig(settings).ask({"PING"}), unavailable);
  settings.redis.ca_file.clear();
  EXPECT_EQ(LinkRig(settings).ask({"PING"}), unavailable) << "the system does not know it either";
}

TEST(RedisLink, C12_ACaFileThatCannotBeReadIsNoReasonToTrust) {
  const Redis redis(RedisOptions{.has_tls = true});
  RedisLinkSettings settings = tls_settings(redis);
  settings.redis.ca_file += ".missing";
  EXPECT_THAT(redis_tls_flaw(settings.redis), HasSubstr("ca.pem.missing"));
  LinkRig rig(settings);
  EXPECT_EQ(rig.ask({"PING"}), unavailable);
  EXPECT_EQ(rig.link().condition(), RedisCondition::denied);
}

TEST(RedisLink, F08_SaysWhoItIs) {
  const Redis redis(RedisOptions{.username = "proxy", .password = "secret words"});
  RedisLinkSettings settings = settings_of(redis);
  settings.redis.username = "proxy";
  settings.password = "secret words";
  EXPECT_EQ(LinkRig(settings).ask({"ACL", "WHOAMI"}), "proxy");

  const Redis with_password(RedisOptions{.password = "secret words"});
  settings = settings_of(with_password);
  settings.redis.address.password = "secret words";
  EXPECT_EQ(LinkRig(settings).ask({"PING"}), "PONG") << "the one in the URL";
}

TEST(RedisLink, F08_AWrongPasswordIsToldAndARightOneIsTakenWithoutARestart) {
  const Redis redis(RedisOptions{.username = "proxy", .password = "new"});
  RedisLinkSettings settings = settings_of(redis);
  settings.redis.username = "proxy";
  settings.password = "old";
  LinkRig rig(settings);
  EXPECT_EQ(rig.ask({"PING"}), unavailable);
  EXPECT_EQ(rig.link().condition(), RedisCondition::denied);

  settings.password = "new";
  rig.link().apply(settings);
  EXPECT_EQ(rig.ask({"PING"}), "PONG");
  EXPECT_EQ(rig.link().condition(), RedisCondition::well);
}

TEST(RedisLink, F06_TooManyClientsIsToldFromARefusal) {
  const Redis redis(RedisOptions{.configuration = {"maxclients 1"}});
  const test::Socket other = test::connect_to(redis.port());
  ASSERT_TRUE(other.send("PING\r\n"));
  std::string pong;
  ASSERT_EQ(test::receive(other, pong, test::patience), test::Arrival::bytes);
  LinkRig rig(settings_of(redis));
  EXPECT_EQ(rig.ask({"PING"}), unavailable);
  EXPECT_EQ(rig.link().condition(), RedisCondition::not_ready);
}

TEST(RedisLink, F08_NoPasswordAtAllIsTold) {
  const Redis redis(RedisOptions{.password = "secret"});
  LinkRig rig(settings_of(redis));
  EXPECT_EQ(rig.ask({"PING"}), unavailable);
  EXPECT_EQ(rig.link().condition(), RedisCondition::denied);
}

TEST(RedisLink, F08_AUserThatMayNotWriteIsOfUseForReading) {
  const Redis redis(RedisOptions{.username = "reader", .password = "p", .permissions = "~* &* +@read +ping"});
  redis.command({"SET", "a", "1"});
  RedisLinkSettings settings = settings_of(redis);
  settings.redis.username = "reader";
  settings.password = "p";
  LinkRig rig(settings);
  EXPECT_EQ(rig.ask({"GET", "a"}), "1");
  EXPECT_THAT(rig.ask({"SET", "a", "2"}, RedisPurpose::write), HasSubstr("NOPERM"));
  EXPECT_EQ(rig.link().condition(), RedisCondition::denied);
  EXPECT_EQ(rig.ask({"GET", "a"}), "1");
  EXPECT_EQ(rig.link().counters().faults[static_cast<std::size_t>(RedisFault::denied)], 1U);
}

TEST(RedisLink, NewSettingsFailNothingThatIsUnderWay) {
  const Redis redis, another;
  redis.command({"SET", "a", "old"});
  another.command({"SET", "a", "new"});
  LinkRig rig(settings_of(redis));
  ASSERT_TRUE(rig.connects());
  std::vector<std::string> heard;
  const auto ask = [&] {
    rig.link().send({"GET", "a"}, RedisPurpose::read,
                    [&heard](const Result<RedisReply>& reply) { heard.push_back(LinkRig::said(reply)); });
  };
  ask();
  rig.link().apply(settings_of(another));
  ask();
  ASSERT_TRUE(run_until(rig.io(), [&] { return heard.size() == 2; }));
  EXPECT_EQ(heard, (std::vector<std::string>{"old", "new"}));
}

TEST(RedisLink, ScriptsAreSentOnce) {
  const Redis redis;
  LinkRig rig(settings_of(redis));
  const RedisScript script = make_script("return ARGV[1] .. KEYS[1]");
  for (const std::string word : {"a", "b"}) {
    std::string heard;
    rig.link().evaluate(script, "k", {word}, [&](const Result<RedisReply>& reply) { heard = LinkRig::said(reply); });
    ASSERT_TRUE(run_until(rig.io(), [&] { return !heard.empty(); }));
    EXPECT_EQ(heard, word + "k");
  }
  EXPECT_EQ(rig.link().counters().commands, 3U) << "EVALSHA, which it does not know; EVAL; EVALSHA";
}

TEST(RedisLink, F01_AKilledRedisIsNotWaitedForAndIsUsedAgainWithinThreeSeconds) {
  Redis redis;
  LinkRig rig(settings_of(redis));
  ASSERT_EQ(rig.ask({"PING"}), "PONG");
  redis.kill();
  ASSERT_TRUE(run_until(rig.io(), [&] { return !rig.link().is_ready(); }));
  EXPECT_EQ(rig.link().condition(), RedisCondition::down);
  const auto begin = Clock::now();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(rig.ask({"PING"}), unavailable);
  EXPECT_LT(Clock::now() - begin, 1s) << "a hundred answers at once";

  // Long enough for the waits between two tries to have grown.
  run_until(rig.io(), [&] { return rig.link().counters().disconnections >= 5; });
  redis.start();
  const auto restarted = Clock::now();
  ASSERT_TRUE(run_until(rig.io(), [&] { return rig.ask({"PING"}) == "PONG"; }));
  EXPECT_LT(Clock::now() - restarted, 3s);
  EXPECT_EQ(rig.link().condition(), RedisCondition::well);
}

TEST(RedisLink, F01_ACommandInFlightFailsWithItsConnection) {
  Redis redis;
  LinkRig rig(settings_of(redis));
  ASSERT_TRUE(rig.connects());
  redis.freeze();
  std::string heard;
  rig.link().send({"PING"}, RedisPurpose::read, [&](const Result<RedisReply>& reply) { heard = LinkRig::said(reply); });
  redis.kill();
  ASSERT_TRUE(run_until(rig.io(), [&] { return !heard.empty(); }));
  EXPECT_EQ(heard, unavailable);
}

TEST(RedisLink, F02_AFrozenRedisCostsOneTimeoutAndThenNothing) {
  const Redis redis;
  RedisLinkSettings settings = settings_of(redis);
  settings.redis.timeout = 50ms;
  LinkRig rig(settings);
  ASSERT_TRUE(rig.connects());
  redis.freeze();
  const auto begin = Clock::now();
  EXPECT_EQ(rig.ask({"PING"}), timed_out);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rig.ask({"PING"}), unavailable);
  EXPECT_LT(Clock::now() - begin, 1s) << "50 ms and a hundred answers at once";
  EXPECT_EQ(rig.link().counters().timeouts, 1U);

  redis.thaw();
  ASSERT_TRUE(run_until(rig.io(), [&] { return rig.ask({"PING"}) == "PONG"; }));
}

TEST(RedisLink, TakesNoMoreThanItCanBear) {
  const Redis redis;
  LinkRig rig(settings_of(redis));
  ASSERT_TRUE(rig.connects());
  redis.freeze();
  std::size_t refused = 0, answered = 0;
  for (std::size_t i = 0; i < RedisLink::max_commands + 10; ++i) {
    rig.link().send({"PING"}, RedisPurpose::read, [&](const Result<RedisReply>& reply) {
      ++(LinkRig::said(reply) == overloaded ? refused : answered);
    });
  }
  ASSERT_TRUE(run_until(rig.io(), [&] { return refused == 10; }));
  redis.thaw();
  ASSERT_TRUE(run_until(rig.io(), [&] { return answered == RedisLink::max_commands; }));

  redis.freeze();
  const std::string large(RedisLink::max_unsent_bytes, 'x');
  EXPECT_EQ(rig.ask({"ECHO", large}), overloaded);
  redis.thaw();
}

TEST(RedisLink, WhatWaitsWhenItGoesIsDropped) {
  const Redis redis;
  LinkRig rig(settings_of(redis));
  ASSERT_TRUE(rig.connects());
  bool was_called = false;
  rig.link().send({"PING"}, RedisPurpose::read, [&](const auto&) { was_called = true; });
  rig.drop_link();
  rig.io().restart();
  rig.io().run();  // comes to its end: nothing is left that waits
  EXPECT_FALSE(was_called);
}

}  // namespace
}  // namespace keygate::keys
