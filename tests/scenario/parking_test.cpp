// Clients that were silent between two requests for long enough that their session has gone: to them nothing has
// changed.
#include "tests/support/parked.hpp"
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <signal.h>
#include <vector>

namespace keygate::test {
namespace {

class Parking : public Scenario {
 protected:
  bool park(std::size_t count = 1) { return are_parked(keygate.pid(), count); }
  // Served once, and parked; there is no other.
  RawClient parked_client() {
    RawClient client = keygate.connect();
    EXPECT_EQ(client.ask(request_to("/public/first")).status, 200);
    EXPECT_TRUE(park()) << parked_clients(keygate.pid());
    upstream.forget();
    return client;
  }
  bool is_served(const std::string& request) {
    return eventually([&] {
      try {
        return ask(request).status == 200;
      } catch (const std::exception&) {
        return false;
      }
    });
  }
};

TEST_F(Parking, APipelinedPairIsAnsweredInOrder) {
  start();
  upstream.follow([](Turn& turn) { turn.answer(200, "of " + turn.request().target + " " + turn.read_body()); });
  RawClient client = parked_client();
  for (int round = 0; round < 2; ++round) {
    client.send(request_with_body("/v1/one", "12345", k1.bearer()) + request_to("/v1/two", k1.bearer()));
    const Response one = client.read_response();
    const Response two = client.read_response();
    EXPECT_EQ(one.status, 200);
    EXPECT_EQ(one.body, "of /v1/one 12345");
    EXPECT_EQ(two.body, "of /v1/two ");
    EXPECT_TRUE(park());
    EXPECT_EQ(client.unread(), "");
  }
  ASSERT_EQ(upstream.requests().size(), 4U);
}

TEST_F(Parking, WhoHasNeverSaidAnythingIsServed) {
  start_without_keys();
  RawClient client = keygate.connect();
  EXPECT_TRUE(park());
  EXPECT_EQ(client.ask(request_to("/public/x")).status, 200);
}

TEST_F(Parking, RequestsOfAConnectionAreCountedOn) {
  start_without_keys({.limits = "requests_per_connection: 2"});
  RawClient client = parked_client();
  const Response last = client.ask(request_to("/public/x"));
  EXPECT_TRUE(last.fields.lists("connection", "close"));
  EXPECT_TRUE(client.is_ended());
}

TEST_F(Parking, D06_KeepsItsSeatUntilItLeaves) {
  start_without_keys({.limits = "connections_per_ip: 1"});
  RawClient client = parked_client();
  expect_problem(keygate.connect().read_response(), 503, "overloaded");
  client.leave();
  EXPECT_TRUE(is_served(request_to("/public/x")));
}

TEST_F(Parking, KeepsItsPlaceUntilItBreaksOff) {
  start_without_keys({.limits = "connections: 1"});
  RawClient client = parked_client();
  expect_problem(keygate.connect().read_response(), 503, "overloaded");
  client.leave_with_reset();
  EXPECT_TRUE(is_served(request_to("/public/x")));
}

TEST_F(Parking, EndsWithTheIdleTimeoutAndNotBefore) {
  start_without_keys({.limits = "idle_timeout: 1500ms"});
  RawClient client = keygate.connect();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(client.ask(request_to("/public/x")).status, 200);
  EXPECT_TRUE(park());
  EXPECT_TRUE(client.is_ended());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1500));
  EXPECT_TRUE(park(0));
}

TEST_F(Parking, D01_HalfAHeadIsTimedOut) {
  start_without_keys({.limits = "header_timeout: 500ms"});
  RawClient client = parked_client();
  client.send("GET /public/x HTTP/1.1\r\nHost: ");
  const std::string said = client.read_to_end();
  EXPECT_TRUE(said.find("HTTP/1.1 408 ") != std::string::npos) << shown(said);
  EXPECT_EQ(upstream.bytes(), "");
}

TEST_F(Parking, F62_ADrainSendsItAway) {
  start_without_keys({.limits = "drain_delay: 100ms, drain_timeout: 15s"});
  RawClient client = parked_client();
  keygate.signal(SIGTERM);
  EXPECT_TRUE(client.is_ended());
  EXPECT_EQ(keygate.wait_for_end(), (ExitStatus{0, 0}));
}

TEST_F(Parking, F62_ARequestWithinTheDelayOfADrainIsServed) {
  start_without_keys({.limits = "drain_delay: 10s, drain_timeout: 15s"});
  RawClient client = parked_client();
  keygate.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return keygate.readiness() == 503; }));
  const Response response = client.ask(request_to("/public/x"));
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.fields.lists("connection", "close"));
  keygate.signal(SIGTERM);  // at once
  keygate.wait_for_hasty_end(patience);
}

TEST_F(Parking, A14_KeepsWhomTheBalancerNamed) {
  const std::uint16_t port = free_port();
  start_without_keys({.more = "trusted_proxies: [127.0.0.1]\nlisteners:\n  - {address: \"127.0.0.1:" +
                              std::to_string(port) + "\", proxy_protocol: true}\n"});
  RawClient client(port);
  client.send("PROXY TCP4 203.0.113.9 127.0.0.1 4000 443\r\n");
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(park());
    upstream.forget();
    EXPECT_EQ(client.ask(request_to("/public/x", "X-Forwarded-For: 10.1.1.1\r\n")).status, 200);
    EXPECT_EQ(upstream.only_request().fields["x-forwarded-for"], "203.0.113.9");
  }
}

TEST_F(Parking, ManyComeBackAtOnce) {
  start_without_keys({.threads = 2});
  std::vector<RawClient> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(keygate.connect());
    EXPECT_EQ(clients.back().ask(request_to("/public/x")).status, 200);
  }
  EXPECT_TRUE(park(clients.size()));
  for (RawClient& client : clients) {
    client.send(request_to("/public/x"));
  }
  for (RawClient& client : clients) {
    EXPECT_EQ(client.read_response().status, 200);
  }
  EXPECT_TRUE(park(clients.size()));
}

}  // namespace
}  // namespace keygate::test
