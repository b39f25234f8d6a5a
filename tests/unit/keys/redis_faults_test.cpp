// Against servers that answer what no Redis should, or what one in trouble does.
#include "keys/redis_link.hpp"
#include "tests/unit/keys/redis_rig.hpp"
#include "tests/unit/keys/scripted_redis.hpp"

namespace keygate::keys {
namespace {

using test::ScriptedRedis;

std::size_t faults(const RedisLink& link, RedisFault fault) {
  return link.counters().faults[static_cast<std::size_t>(fault)];
}

struct Row {
  std::string name;
  std::string bytes;
};

class RedisNonsense : public testing::TestWithParam<Row> {};

TEST_P(RedisNonsense, F04F05_EndsTheConnectionAndIsNotBelieved) {
  ScriptedRedis server(ScriptedRedis::says(GetParam().bytes));
  LinkRig rig(settings_for(server.port()));
  ASSERT_TRUE(rig.connects());
  EXPECT_EQ(rig.ask({"GET", "a"}), unavailable);
  EXPECT_EQ(rig.link().counters().protocol_errors, 1U);
  server.answer_with(ScriptedRedis::says("$1\r\nb\r\n"));
  ASSERT_TRUE(rig.connects()) << "on a new connection";
  EXPECT_EQ(rig.ask({"GET", "a"}), "b");
}

INSTANTIATE_TEST_SUITE_P(Replies, RedisNonsense,
                         testing::Values(Row{"F04Http", "HTTP/1.1 400 Bad Request\r\n\r\n"},
                                         Row{"F04NegativeLength", "$-2\r\n"}, Row{"F04LengthOfLetters", "$abc\r\n"},
                                         Row{"F04Resp3Null", "_\r\n"}, Row{"F04Resp3Map", "%1\r\n+a\r\n+b\r\n"},
                                         Row{"F04WrongTerminator", "$3\r\nabcXY"},
                                         Row{"F04Nesting", "*1\r\n*1\r\n*1\r\n+a\r\n"},
                                         Row{"F05HugeString", "$9999999999999\r\n"},
                                         Row{"F05HugeArray", "*100000000\r\n"}),
                         [](const auto& row) { return row.param.name; });

TEST(RedisFaults, F04_AGreetingThatIsNoneEndsTheConnection) {
  ScriptedRedis server([](const auto&) { return "HTTP/1.1 400 Bad Request\r\n\r\n"; });
  LinkRig rig(settings_for(server.port()));
  EXPECT_EQ(rig.ask({"GET", "a"}), unavailable);
  EXPECT_EQ(rig.link().counters().protocol_errors, 1U);
}

TEST(RedisFaults, F04_AReplyThatNobodyAskedForEndsTheConnection) {
  ScriptedRedis server(ScriptedRedis::says("+a\r\n+b\r\n"));
  LinkRig rig(settings_for(server.port()));
  ASSERT_TRUE(rig.connects());
  EXPECT_EQ(rig.ask({"GET", "a"}), "a");
  ASSERT_TRUE(run_until(rig.io(), [&] { return rig.link().counters().protocol_errors == 1; }));
  ASSERT_TRUE(rig.connects());
  EXPECT_EQ(rig.ask({"GET", "a"}), "a") << "and not the one that was left over";
}

TEST(RedisFaults, F05_AnAnswerThatNeverEndsIsLate) {
  ScriptedRedis server(ScriptedRedis::says("$60000\r\nand then nothing"));
  RedisLinkSettings settings = settings_for(server.port());
  settings.redis.timeout = 50ms;
  LinkRig rig(settings);
  ASSERT_TRUE(rig.connects());
  EXPECT_EQ(rig.ask({"GET", "a"}), timed_out);
}

class RedisInTrouble : public testing::TestWithParam<Row> {};

TEST_P(RedisInTrouble, F06_IsNotPesteredAndIsUsedAgainWhenItIsReady) {
  ScriptedRedis server(ScriptedRedis::says(GetParam().bytes));
  LinkRig rig(settings_for(server.port()));
  ASSERT_TRUE(rig.connects());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(rig.ask({"GET", "a"}).substr(0, 7), "(error)");
  const int commands = server.commands();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rig.ask({"GET", "a"}), unavailable);
  EXPECT_EQ(server.commands(), commands);
  EXPECT_EQ(server.connections(), 1) << "its connection is as good as any other";
  EXPECT_EQ(rig.link().condition(), RedisCondition::not_ready);
  EXPECT_EQ(faults(rig.link(), RedisFault::not_ready), 5U);

  server.answer_with(ScriptedRedis::says("$1\r\nb\r\n"));
  ASSERT_TRUE(run_until(rig.io(), [&] { return rig.ask({"GET", "a"}) == "b"; }));
  EXPECT_EQ(rig.link().condition(), RedisCondition::well);
}

INSTANTIATE_TEST_SUITE_P(Errors, RedisInTrouble,
                         testing::Values(Row{"F06Loading", "-LOADING Redis is loading the dataset in memory\r\n"},
                                         Row{"F06Busy", "-BUSY Redis is busy running a script\r\n"},
                                         Row{"F06MasterDown", "-MASTERDOWN Link with MASTER is down\r\n"},
                                         Row{"F06ClusterDown", "-CLUSTERDOWN The cluster is down\r\n"},
                                         Row{"F06TryAgain", "-TRYAGAIN Multiple keys request\r\n"}),
                         [](const auto& row) { return row.param.name; });

TEST(RedisFaults, F06_ATurnedAwayConnectionIsTriedAgainOnceASecond) {
  ScriptedRedis server(
      [](const auto&) -> std::optional<std::string> { return "-ERR max number of clients reached\r\n"; });
  LinkRig rig(settings_for(server.port()));
  ASSERT_TRUE(run_until(rig.io(), [&] { return rig.link().counters().disconnections == 1; }));
  EXPECT_EQ(rig.link().condition(), RedisCondition::not_ready);
  const auto begin = Clock::now();
  ASSERT_TRUE(run_until(rig.io(), [&] { return rig.link().counters().disconnections == 3; }));
  EXPECT_GE(Clock::now() - begin, 1s) << "tried in a loop";
}

TEST(RedisFaults, F07_AReplicaIsReadAndLeftForWhoeverIsThePrimaryNow) {
  ScriptedRedis server([](const auto& words) -> std::optional<std::string> {
    if (words.at(0) == "PING") return "+PONG\r\n";
    if (words.at(0) == "GET") return "$1\r\nb\r\n";
    return "-READONLY You can't write against a read only replica.\r\n";
  });
  LinkRig rig(settings_for(server.port()));
  ASSERT_TRUE(rig.connects());
  EXPECT_TRUE(rig.link().takes_writes());
  EXPECT_EQ(rig.ask({"SET", "a", "1"}, RedisPurpose::write).substr(0, 16), "(error) READONLY");
  EXPECT_FALSE(rig.link().takes_writes());
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(rig.ask({"GET", "a"}), "b") << "reads go on, over the change of connections too";
  EXPECT_EQ(rig.link().condition(), RedisCondition::read_only);
  EXPECT_EQ(server.connections(), 2);

  server.answer_with(ScriptedRedis::says("+OK\r\n"));
  ASSERT_TRUE(run_until(rig.io(), [&] { return rig.link().takes_writes(); }));
  EXPECT_EQ(rig.ask({"SET", "a", "1"}, RedisPurpose::write), "OK");
  EXPECT_EQ(rig.link().condition(), RedisCondition::well);
}

TEST(RedisFaults, F07_WritesOfMomentsAgoMakeNoMoreConnections) {
  ScriptedRedis server(ScriptedRedis::says("-READONLY You can't write against a read only replica.\r\n"));
  LinkRig rig(settings_for(server.port()));
  ASSERT_TRUE(rig.connects());
  for (int i = 0; i < 20; ++i) rig.ask({"SET", "a", "1"}, RedisPurpose::write);
  EXPECT_LE(server.connections(), 3) << "one a second";
}

TEST(RedisFaults, F08_PermissionsThatAreMissingOpenTheBreakerAtOnce) {
  ScriptedRedis server(ScriptedRedis::says("-NOPERM this user has no permissions to run the 'get' command\r\n"));
  LinkRig rig(settings_for(server.port()));
  ASSERT_TRUE(rig.connects());
  EXPECT_EQ(rig.ask({"GET", "a"}).substr(0, 14), "(error) NOPERM");
  EXPECT_EQ(rig.ask({"GET", "a"}), unavailable);
  EXPECT_EQ(rig.link().condition(), RedisCondition::denied);
}

TEST(RedisFaults, F09_AnErrorOfOneCommandIsOfThatCommandOnly) {
  for (const std::string error : {"-WRONGTYPE Operation against a key\r\n", "-OOM command not allowed\r\n",
                                  "-MISCONF Redis is configured to save RDB snapshots\r\n"}) {
    ScriptedRedis server(ScriptedRedis::says(error));
    LinkRig rig(settings_for(server.port()));
    ASSERT_TRUE(rig.connects());
    for (int i = 0; i < 20; ++i) EXPECT_EQ(rig.ask({"SET", "a", "1"}, RedisPurpose::write).substr(0, 7), "(error)");
    EXPECT_TRUE(rig.link().is_ready()) << error;
    EXPECT_EQ(faults(rig.link(), RedisFault::refused), 20U);
    EXPECT_EQ(server.connections(), 1);
  }
}

TEST(RedisFaults, F11_AClusterIsToldFromARedis) {
  ScriptedRedis server(ScriptedRedis::says("-MOVED 3999 127.0.0.1:6381\r\n"));
  LinkRig rig(settings_for(server.port()));
  ASSERT_TRUE(rig.connects());
  rig.ask({"GET", "a"});
  EXPECT_EQ(rig.link().condition(), RedisCondition::redirected);
  EXPECT_EQ(rig.ask({"GET", "a"}), unavailable);
}

}  // namespace
}  // namespace keygate::keys
