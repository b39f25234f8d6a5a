// What else may become of a key, and of those whom it serves just then: rotated, expired, granted less, revoked while a
// response streams, revoked while it is looked up. Real key server, real Redis, three proxies.
#include "tests/support/revoking.hpp"
#include "tests/support/scenario.hpp"
#include "tests/support/scripted_service.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keygate::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds a_second{is_sanitized ? 3000 : 1000};

// At every proxy, within a second; from then on it stays so.
void expect_soon(const Fleet& fleet, const Key& key, const std::string& outcome, std::string_view target = "/v1/x") {
  const auto deadline = Clock::now() + a_second;
  for (const auto& proxy : fleet.proxies()) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    EXPECT_TRUE(eventually([&] { return outcome_at(*proxy, key, target) == outcome; }, left))
        << outcome_at(*proxy, key, target) << " instead of " << outcome;
  }
}

void expect_everywhere(const Fleet& fleet, const Key& key, const std::string& outcome) {
  for (const auto& proxy : fleet.proxies()) EXPECT_EQ(outcome_at(*proxy, key), outcome);
}

TEST(KeyChanges, C05_ARotatedKeyEndsEverywhereAndTheNewOneIsGoodAtOnce) {
  const Fleet fleet;
  const Key old = fleet.service.create();
  expect_everywhere(fleet, old, "200 ok");
  const Key fresh = fleet.service.rotate(old.id, "0s");
  expect_everywhere(fleet, fresh, "200 ok");
  expect_soon(fleet, old, "401 expired_key");
}

// The records in memory were made before there was a time of expiry, and would be good for a minute.
TEST(KeyChanges, C05_AGraceThatRotationGaveEndsToTheSecond) {
  const Fleet fleet;
  const Key old = fleet.service.create();
  expect_everywhere(fleet, old, "200 ok");
  fleet.service.rotate(old.id, "3s");
  expect_everywhere(fleet, old, "200 ok");
  const auto expired = [&] {
    for (const auto& proxy : fleet.proxies()) {
      if (outcome_at(*proxy, old) != "401 expired_key") return false;
    }
    return true;
  };
  EXPECT_TRUE(eventually(expired, seconds(3) + a_second));
}

TEST(KeyChanges, C05F50_AKeyThatExpiresIsRefusedByEveryMemory) {
  const Fleet fleet;
  const Key key = fleet.service.create({.expires_in = "2s"});
  expect_everywhere(fleet, key, "200 ok");
  const auto begin = Clock::now();
  const auto expired = [&] {
    for (const auto& proxy : fleet.proxies()) {
      if (outcome_at(*proxy, key) != "401 expired_key") return false;
    }
    return true;
  };
  EXPECT_TRUE(eventually(expired, seconds(2) + a_second));
  EXPECT_LE(Clock::now() - begin, seconds(2) + a_second);
}

// By a tombstone and a message, which need nothing of ours.
TEST(KeyChanges, C05_AnyKeyServiceTakesAScopeAwayByTwoCommands) {
  std::atomic<bool> may_write = true;
  ScriptedService service(
      [&](const std::string&) { return good_answer("key_1", may_write ? R"("v1:read","admin")" : R"("v1:read")"); });
  const Redis redis;
  RecordingUpstream upstream(answer_with_identity);
  Keygate proxy;
  Config config{.upstream_port = upstream.port()};
  config.resolution = "{redis: {url: \"" + redis.url() +
                      "\"}, service: {url: \"http://127.0.0.1:" + std::to_string(service.port()) + "/\"}}";
  proxy.start(std::move(config));
  const Key key{"key_1", "kg_abcdefghijklmnopqrstuvwxyz0123456789abcdef"};
  EXPECT_EQ(outcome_at(proxy, key, "/admin/x"), "200 ok");
  const TempDir directory;
  const std::string digest = sha256_of_file(directory.write("key", key.text));
  const std::string name = "keygate:v1:key:" + digest;
  EXPECT_TRUE(eventually([&] { return redis.command({"EXISTS", name}) == "1"; }));
  may_write = false;
  redis.command({"SET", name, R"({"v":1,"digest":")" + digest + R"(","state":"changed"})", "EX", "60"});
  EXPECT_EQ(redis.command({"PUBLISH", "keygate:v1:invalidate", digest}), "1");
  EXPECT_TRUE(eventually([&] { return outcome_at(proxy, key, "/admin/x") == "403 insufficient_scope"; }, a_second));
  EXPECT_EQ(outcome_at(proxy, key), "200 ok");
  redis.command({"SET", name, R"({"v":1,"digest":")" + digest + R"(","state":"revoked"})", "EX", "60"});
  EXPECT_EQ(redis.command({"PUBLISH", "keygate:v1:invalidate", digest}), "1");
  EXPECT_TRUE(eventually([&] { return outcome_at(proxy, key) == "401 revoked_key"; }, a_second));
}

// What proxies have seen reaches the key server, at the latest when they end.
TEST(KeyChanges, UseOfAKeyAtAnyProxyIsToldToTheKeyServer) {
  Fleet fleet({.threads = {1, 1}});
  const Key used = fleet.service.create(), unused = fleet.service.create();
  EXPECT_EQ(outcome_at(fleet.proxy(1), used), "200 ok");
  EXPECT_EQ(outcome_at(fleet.proxy(0), unused, "/admin/x"), "403 insufficient_scope");
  fleet.stop(1);
  fleet.stop(0);
  EXPECT_TRUE(eventually([&] { return !fleet.service.last_used(used.id).empty(); }));
  EXPECT_EQ(fleet.service.last_used(unused.id), "");
}

TEST(KeyChanges, C01_AScopeIsAskedForFromMemoryFromRedisAndCold) {
  const Fleet fleet({.staleness_bound = "2s", .threads = {1, 1, 1}});
  const Key key = fleet.service.create();
  EXPECT_EQ(outcome_at(fleet.proxy(0), key), "200 ok");
  EXPECT_EQ(outcome_at(fleet.proxy(0), key, "/admin/x"), "403 insufficient_scope");
  EXPECT_TRUE(eventually([&] { return fleet.redis.command({"EXISTS", fleet.redis_key(key)}) == "1"; }));
  EXPECT_EQ(outcome_at(fleet.proxy(1), key, "/admin/x"), "403 insufficient_scope");
  EXPECT_EQ(fleet.redis.command({"FLUSHALL"}), "OK");
  EXPECT_EQ(outcome_at(fleet.proxy(2), key, "/admin/x"), "403 insufficient_scope");
  const std::vector<std::string> sources{"memory", "redis", "service"};
  for (std::size_t i = 0; i < sources.size(); ++i) {
    EXPECT_EQ(text_of(fleet.proxy(i).wait_for_log_of("/admin/x"), "source"), sources[i]);
  }
}

// The key service has said yes, and its answer is on its way while the key is revoked.
TEST(KeyChanges, C06_AnAnswerFromBeforeTheRevocationLetsNobodyIn) {
  Fleet fleet({.threads = {1, 1}});
  const Key key = fleet.service.create();
  fleet.service_relay.hold_replies();
  RawClient client(fleet.proxy(0).port());
  client.send(request_with(key));
  ASSERT_TRUE(eventually([&] { return fleet.service_relay.held_bytes() > 0; }));
  EXPECT_TRUE(fleet.service.revoke(key.id).is_pushed);
  fleet.service_relay.let_through();
  EXPECT_EQ(outcome_of(client.read_response()), "401 revoked_key");
  EXPECT_EQ(fleet.upstream.bytes(), "");
  expect_everywhere(fleet, key, "401 revoked_key");
}

// The same, and the message about it is lost: what was asked before may be granted once, and is not given to others.
TEST(KeyChanges, C06_AnAnswerFromBeforeTheRevocationNeverTakesTheTombstonesPlace) {
  Fleet fleet({.threads = {1, 1}});
  const Key key = fleet.service.create();
  fleet.redis_relay.refuse_who_says("SUBSCRIBE");
  fleet.redis_relay.cut_once();
  fleet.service_relay.hold_replies();
  RawClient client(fleet.proxy(0).port());
  client.send(request_with(key));
  ASSERT_TRUE(eventually([&] { return fleet.service_relay.held_bytes() > 0; }));
  EXPECT_TRUE(fleet.service.revoke(key.id).is_pushed);
  fleet.service_relay.let_through();
  client.read_response();
  EXPECT_EQ(outcome_at(fleet.proxy(1), key), "401 revoked_key");
  EXPECT_NE(fleet.redis.command({"GET", fleet.redis_key(key)}).find(R"("state":"revoked")"), std::string::npos);
}

// Granted a moment ago, and nothing has come back yet.
TEST(KeyChanges, C05_WhoWaitsForTheUpstreamWhileItsKeyIsRevokedIsToldSo) {
  Fleet fleet({.threads = {1}});
  const Key key = fleet.service.create();
  fleet.upstream.follow([](Turn& turn) {
    turn.hold();
    turn.answer(200, "too late");
  });
  RawClient client(fleet.proxy(0).port());
  client.send(request_with(key));
  RawClient upload(fleet.proxy(0).port());
  upload.send("POST /v1/x HTTP/1.1\r\nHost: api.local\r\n" + key.bearer() + "Content-Length: 1000\r\n\r\nabc");
  ASSERT_TRUE(eventually([&] { return fleet.upstream.held() == 2; }));
  fleet.service.revoke(key.id);
  EXPECT_EQ(outcome_of(client.read_response()), "401 revoked_key");
  EXPECT_EQ(outcome_of(upload.read_response()), "401 revoked_key");
  fleet.upstream.release();
  EXPECT_TRUE(eventually([&] { return fleet.upstream.open_connections() == 0; }));
}

class OpenResponses : public testing::Test {
 protected:
  // Sends the beginning of a response that does not end, and waits until it is cut.
  static void stream(Turn& turn) {
    turn.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        "d\r\ndata: first\n\n\r\n");
    turn.wait_for_end();
  }

  static std::vector<std::unique_ptr<RawClient>> open_at_all(Fleet& fleet, const Key& key) {
    fleet.upstream.follow(stream);
    std::vector<std::unique_ptr<RawClient>> clients;
    for (const auto& proxy : fleet.proxies()) {
      clients.push_back(std::make_unique<RawClient>(proxy->port()));
      clients.back()->send(request_with(key, "/v1/events"));
      EXPECT_TRUE(eventually([&] { return clients.back()->unread().find("data: first") != std::string::npos; }));
    }
    return clients;
  }

  // Each ends within `limit`, without the last chunk, and so does the upstream's request.
  static void expect_all_cut(const Fleet& fleet, const std::vector<std::unique_ptr<RawClient>>& clients,
                             milliseconds limit, const std::string& code) {
    const auto begin = Clock::now();
    for (const auto& client : clients) {
      EXPECT_EQ(client->read_to_end().find("0\r\n\r\n"), std::string::npos) << "it looks whole";
    }
    EXPECT_LE(Clock::now() - begin, limit);
    EXPECT_TRUE(eventually([&] { return fleet.upstream.open_connections() == 0; }));
    for (const auto& proxy : fleet.proxies()) {
      EXPECT_EQ(text_of(proxy->wait_for_log_of("/v1/events"), "code"), code);
    }
  }
};

TEST_F(OpenResponses, C05_OfARevokedKeyAreCutWithinASecond) {
  Fleet fleet;
  const Key key = fleet.service.create();
  const auto clients = open_at_all(fleet, key);
  EXPECT_TRUE(fleet.service.revoke(key.id).is_pushed);
  expect_all_cut(fleet, clients, a_second, "revoked_key");
}

TEST_F(OpenResponses, C05F01_OfARevokedKeyAreCutWithinTheBoundWithoutRedis) {
  Fleet fleet({.staleness_bound = "2s"});
  const Key key = fleet.service.create();
  const auto clients = open_at_all(fleet, key);
  fleet.redis.kill();
  EXPECT_FALSE(fleet.service.revoke(key.id).is_pushed);
  expect_all_cut(fleet, clients, seconds(2) + slack, "revoked_key");
}

// Each look at them takes longer than the proxy's clock ticks.
TEST_F(OpenResponses, C05F21_OfARevokedKeyAreCutThoughTheKeyServiceIsSlow) {
  Fleet fleet({.staleness_bound = "1s", .threads = {1}});
  const Key key = fleet.service.create();
  const auto clients = open_at_all(fleet, key);
  fleet.redis.kill();
  fleet.service_relay.delay(milliseconds(400));
  EXPECT_FALSE(fleet.service.revoke(key.id).is_pushed);
  expect_all_cut(fleet, clients, seconds(2) + slack, "revoked_key");
}

TEST_F(OpenResponses, C05_OfAKeyThatExpiresAreCutToTheSecond) {
  Fleet fleet;
  const Key key = fleet.service.create({.expires_in = "3s"});
  const auto clients = open_at_all(fleet, key);
  expect_all_cut(fleet, clients, seconds(3) + a_second, "expired_key");
}

// Nobody can be asked about them: they go on for the bound, and for one more.
TEST_F(OpenResponses, C05F20_GoOnForABoundMoreWhileNobodyCanBeAsked) {
  Fleet fleet({.staleness_bound = "1s"});
  const Key key = fleet.service.create();
  const auto clients = open_at_all(fleet, key);
  fleet.service.kill();
  fleet.redis.kill();
  const auto begin = Clock::now();
  expect_all_cut(fleet, clients, seconds(4) + slack, "key_service_unavailable");
  EXPECT_GE(Clock::now() - begin, milliseconds(900)) << "cut before one more bound had passed";
}

class OpenTunnels : public OpenResponses {
 protected:
  static std::vector<std::unique_ptr<RawClient>> open_at_all(
      Fleet& fleet, const Key& key, Script then = [](Turn& turn) { turn.wait_for_end(); }) {
    fleet.upstream.follow([then](Turn& turn) {
      turn.send(
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nwelcome");
      then(turn);
    });
    const std::string handshake =
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    std::vector<std::unique_ptr<RawClient>> clients;
    for (const auto& proxy : fleet.proxies()) {
      clients.push_back(std::make_unique<RawClient>(proxy->port()));
      clients.back()->send(request_to("/v1/events", handshake + key.bearer()));
      EXPECT_TRUE(eventually([&] { return clients.back()->unread().ends_with("welcome"); }));
    }
    return clients;
  }
};

TEST_F(OpenTunnels, C05U06_OfARevokedKeyAreCutWithinASecond) {
  Fleet fleet;
  const Key key = fleet.service.create();
  const auto clients = open_at_all(fleet, key);
  EXPECT_TRUE(fleet.service.revoke(key.id).is_pushed);
  expect_all_cut(fleet, clients, a_second, "revoked_key");
}

// Nothing is read from the client any more that would tell of the cut.
TEST_F(OpenTunnels, C05U06_OfARevokedKeyAreCutThoughTheClientHasFinished) {
  Fleet fleet;
  const Key key = fleet.service.create();
  const auto clients = open_at_all(fleet, key, [](Turn& turn) { turn.hold(); });
  for (const auto& client : clients) client->finish_sending();
  EXPECT_TRUE(eventually([&] { return fleet.upstream.held() == clients.size(); }));
  EXPECT_TRUE(fleet.service.revoke(key.id).is_pushed);
  const auto begin = Clock::now();
  for (const auto& client : clients) client->read_to_end();
  EXPECT_LE(Clock::now() - begin, a_second);
  for (const auto& proxy : fleet.proxies()) {
    EXPECT_EQ(text_of(proxy->wait_for_log_of("/v1/events"), "code"), "revoked_key");
  }
}

TEST_F(OpenTunnels, C05U06_OfAKeyThatExpiresAreCutToTheSecond) {
  Fleet fleet;
  const Key key = fleet.service.create({.expires_in = "3s"});
  const auto clients = open_at_all(fleet, key);
  expect_all_cut(fleet, clients, seconds(3) + a_second, "expired_key");
}

}  // namespace
}  // namespace keygate::test
