// An upstream's max_connections: who comes beyond them waits for a turn, in order and not for long.
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <signal.h>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

class UpstreamLimits : public Scenario {
 protected:
  void start_with(std::size_t most, const std::string& more = "") {
    start({.upstreams = "{default: {endpoints: [\"http://127.0.0.1:" + std::to_string(upstream.port()) +
                        "\"], max_connections: " + std::to_string(most) + more + "}}"});
    upstream.follow([](Turn& turn) {
      turn.read_body();
      turn.hold();
      turn.answer(200, turn.request().target);
    });
  }
  // Which of `clients` is answered first.
  static std::size_t first_answered(const std::vector<std::unique_ptr<RawClient>>& clients) {
    std::size_t found = clients.size();
    EXPECT_TRUE(eventually([&] {
      found = 0;
      while (found < clients.size() && clients[found]->unread().empty()) ++found;
      return found < clients.size();
    }));
    return found % clients.size();
  }
  std::unique_ptr<RawClient> send(const std::string& target) {
    auto client = std::make_unique<RawClient>(keygate.port());
    client->send(request_to(target, k1.bearer()));
    return client;
  }
};

TEST_F(UpstreamLimits, F42_NoMoreConnectionsAreMadeAndWhoWaitsGetsOneThatIsFree) {
  start_with(2, ", timeouts: {connect: 20s}");
  const auto one = send("/v1/a");
  const auto two = send("/v1/b");
  ASSERT_TRUE(eventually([&] { return upstream.held() == 2; }));
  const std::vector<std::string> targets{"/v1/c", "/v1/d", "/v1/e"};
  std::vector<std::unique_ptr<RawClient>> clients;
  for (const std::string& target : targets) {
    clients.push_back(send(target));
  }
  const std::size_t refused = first_answered(clients);  // as many wait as there may be connections
  const Response refusal = clients[refused]->read_response();
  expect_problem(refusal, 503, "overloaded");
  EXPECT_EQ(refusal.fields["retry-after"], "1");
  EXPECT_EQ(refusal.fields["proxy-status"], "keygate; error=connection_limit_reached");
  EXPECT_EQ(upstream.held(), 2U);
  upstream.release();
  EXPECT_EQ(one->read_response().body, "/v1/a");
  EXPECT_EQ(two->read_response().body, "/v1/b");
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (i != refused) {
      EXPECT_EQ(clients[i]->read_response().body, targets[i]);
    }
  }
  EXPECT_EQ(upstream.connections(), 2U);
}

TEST_F(UpstreamLimits, F42_WhoHasWaitedLongEnoughHearsSo) {
  start_with(1, ", timeouts: {connect: 200ms}");
  const auto first = send("/v1/a");
  ASSERT_TRUE(eventually([&] { return upstream.held() == 1; }));
  const auto begin = std::chrono::steady_clock::now();
  RawClient client = keygate.connect();
  expect_problem(client.ask(request_with_body("/v1/b", "hello", k1.bearer())), 503, "overloaded");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(190));
  EXPECT_EQ(upstream.requests().size(), 1U);
  upstream.release();
  EXPECT_EQ(first->read_response().body, "/v1/a");
  EXPECT_EQ(ask(request_to("/v1/c", k1.bearer())).body, "/v1/c") << "the place is free again";
}

TEST_F(UpstreamLimits, F42_ClientsAreServedInTheOrderInWhichTheyCame) {
  start_with(1, ", timeouts: {connect: 20s}");
  const auto first = send("/v1/a");
  ASSERT_TRUE(eventually([&] { return upstream.held() == 1; }));
  const auto second = send("/v1/b");
  upstream.release();
  EXPECT_EQ(first->read_response().body, "/v1/a");
  EXPECT_EQ(second->read_response().body, "/v1/b");
  const auto all = upstream.requests();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].target, "/v1/a");
  EXPECT_EQ(upstream.connections(), 1U);
}

TEST_F(UpstreamLimits, F44_AClientThatLeavesLeavesTheQueue) {
  start_with(1, ", timeouts: {connect: 20s}");
  const auto first = send("/v1/a");
  ASSERT_TRUE(eventually([&] { return upstream.held() == 1; }));
  // One place to wait in: who is not refused waits.
  std::vector<std::unique_ptr<RawClient>> clients;
  clients.push_back(send("/v1/b"));
  clients.push_back(send("/v1/c"));
  const std::size_t waiting = 1 - first_answered(clients);
  const std::string left = waiting == 0 ? "/v1/b" : "/v1/c";
  clients[waiting]->leave();
  EXPECT_EQ(text_of(keygate.wait_for_log([&](const auto& line) {
              return text_of(line, "path") == left && text_of(line, "code") != "overloaded";
            }),
                    "code"),
            "client_closed");
  const auto next = send("/v1/d");
  upstream.release();
  EXPECT_EQ(first->read_response().body, "/v1/a");
  EXPECT_EQ(next->read_response().body, "/v1/d");
  for (const Request& request : upstream.requests()) {
    EXPECT_NE(request.target, left);
  }
}

TEST_F(UpstreamLimits, F62_WhoeverWaitsWhenTheTimeToDrainIsOverIsLetGo) {
  start({.upstreams = "{default: {endpoints: [\"http://127.0.0.1:" + std::to_string(upstream.port()) +
                      "\"], max_connections: 1, timeouts: {connect: 5m}}}",
         .limits = "drain_timeout: 300ms"});
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.hold();
  });
  const auto first = send("/v1/a");
  ASSERT_TRUE(eventually([&] { return upstream.held() == 1; }));
  std::vector<std::unique_ptr<RawClient>> clients;
  clients.push_back(send("/v1/b"));
  clients.push_back(send("/v1/c"));
  const std::string left = first_answered(clients) == 1 ? "/v1/b" : "/v1/c";
  EXPECT_EQ(keygate.stop().code, 0);
  EXPECT_EQ(text_of(keygate.wait_for_log_of(left), "code"), "draining");
  upstream.release();
}

TEST_F(UpstreamLimits, AnIdleConnectionMakesRoomForAnotherEndpoint) {
  RecordingUpstream other;
  start({.upstreams = "{default: {endpoints: [\"http://127.0.0.1:" + std::to_string(upstream.port()) +
                      "\", \"http://127.0.0.1:" + std::to_string(other.port()) + "\"], max_connections: 1}}"});
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  }
  EXPECT_EQ(upstream.requests().size(), 2U);
  EXPECT_EQ(other.requests().size(), 2U);
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() + other.open_connections() == 1; }));
}

TEST_F(UpstreamLimits, AsManyConnectionsAreKeptAsWereBusy) {
  constexpr std::size_t most = 150;
  start_with(most);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < most; ++i) {
    clients.push_back(std::make_unique<RawClient>(keygate.port()));
  }
  for (const char* const target : {"/v1/first", "/v1/second"}) {
    upstream.hold_again();
    for (const auto& client : clients) {
      client->send(request_to(target, k1.bearer()));
    }
    ASSERT_TRUE(eventually([&] { return upstream.held() == most; })) << target;
    upstream.release();
    for (const auto& client : clients) {
      EXPECT_EQ(client->read_response().body, target);
    }
    ASSERT_TRUE(eventually([&] { return upstream.held() == 0; }));
  }
  EXPECT_EQ(upstream.connections(), most);
}

TEST_F(UpstreamLimits, F32_AStaleConnectionGivesItsPlaceToTheNewOne) {
  start({.upstreams = "{default: {endpoints: [\"http://127.0.0.1:" + std::to_string(upstream.port()) +
                      "\"], max_connections: 1}}"});
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  upstream.follow([](Turn& turn) {
    turn.read_body();
    if (turn.number() > 0) {
      turn.close();
    } else {
      turn.answer(200, "fresh");
    }
  });
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).body, "fresh");
}

}  // namespace
}  // namespace keygate::test
