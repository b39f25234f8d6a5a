// Several endpoints to one upstream, and what happens when some of them are down: the contract's balance and retries.
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <poll.h>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

std::string endpoint_at(std::uint16_t port) { return "\"http://127.0.0.1:" + std::to_string(port) + "\""; }

class Upstreams : public Scenario {
 protected:
  void start_before(const std::vector<std::uint16_t>& ports, const std::string& more = "") {
    std::string list;
    for (const std::uint16_t port : ports) list += (list.empty() ? "" : ", ") + endpoint_at(port);
    start({.upstreams = "{default: {endpoints: [" + list + "]" + (more.empty() ? "" : ", " + more) + "}}"});
  }
  void start_before_both(const std::string& more = "") { start_before({upstream.port(), other.port()}, more); }

  RecordingUpstream other;
};

TEST_F(Upstreams, RoundRobinGivesEachEndpointTheSame) {
  start_before_both();
  RawClient client = keygate.connect();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(client.ask(request_to("/v1/x", k1.bearer())).status, 200);
  }
  EXPECT_EQ(upstream.requests().size(), 5U);
  EXPECT_EQ(other.requests().size(), 5U);
  EXPECT_EQ(upstream.connections(), 1U) << "each endpoint has a pool of its own";
  EXPECT_EQ(other.connections(), 1U);
}

TEST_F(Upstreams, LeastRequestsLeavesTheBusyEndpointAlone) {
  start_before_both("balance: least_requests");
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.hold();
    turn.answer(200, "slow");
  });
  std::vector<std::unique_ptr<RawClient>> waiting;
  while (upstream.held() == 0) {  // until one of them hangs
    waiting.push_back(std::make_unique<RawClient>(keygate.port()));
    waiting.back()->send(request_to("/v1/x", k1.bearer()));
    ASSERT_TRUE(eventually([&] { return upstream.held() + other.requests().size() == waiting.size(); }));
    ASSERT_LT(waiting.size(), 100U);
  }
  other.forget();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).body, "ok");
  }
  EXPECT_EQ(other.requests().size(), 20U);
  EXPECT_EQ(upstream.held(), 1U);
  upstream.release();
}

TEST_F(Upstreams, WithoutTheClientsHostEachIsCalledByItsOwnName) {
  start_before_both("preserve_host: false");
  ask(request_to("/v1/x", k1.bearer()));
  ask(request_to("/v1/x", k1.bearer()));
  EXPECT_EQ(upstream.only_request().fields["host"], "127.0.0.1:" + std::to_string(upstream.port()));
  EXPECT_EQ(other.only_request().fields["host"], "127.0.0.1:" + std::to_string(other.port()));
}

TEST_F(Upstreams, F30_OneEndpointDownFailsNoRequest) {
  start_before({upstream.port(), free_port()});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200) << i;
    EXPECT_EQ(ask(request_with_body("/v1/x", "hello", k1.bearer())).status, 200) << "nothing had been sent: " << i;
  }
  EXPECT_EQ(upstream.requests().size(), 40U) << "each was sent once";
  EXPECT_NE(keygate.errors().find("is left alone for a while: Connection refused"), std::string::npos);
}

TEST_F(Upstreams, F30_WithoutRetriesOnlyTheFirstFewFail) {
  start_before({upstream.port(), free_port()}, "retries: {attempts: 0}");
  int failed = 0;
  for (int i = 0; i < 12; ++i) {
    const Response response = ask(request_to("/v1/x", k1.bearer()));
    if (response.status != 200) {
      expect_problem(response, 502, "upstream_unreachable");
      ++failed;
    }
  }
  EXPECT_GE(failed, 3);
  EXPECT_LE(failed, 5) << "three failures in a row, then it is left alone but for a trial now and then";
}

TEST_F(Upstreams, F30_AnEndpointThatComesBackIsUsedAgain) {
  Listening place = listen_on_loopback();
  const std::uint16_t port = place.port;
  place.socket.close();
  start_before({upstream.port(), port});
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  }
  const Listening back = listen_on_loopback(port);
  EXPECT_TRUE(eventually([&] {
    RawClient client = keygate.connect();
    client.send(request_to("/v1/x", k1.bearer()));
    pollfd arrived{back.socket.fd(), POLLIN, 0};
    return ::poll(&arrived, 1, 20) > 0;
  }));
}

TEST_F(Upstreams, F30_AllDownIsABadGatewayThatSaysWhy) {
  start_before({free_port(), free_port()});
  for (int i = 0; i < 10; ++i) {
    const Response response = ask(request_to("/v1/x", k1.bearer()));
    expect_problem(response, 502, "upstream_unreachable");
    EXPECT_EQ(response.fields["proxy-status"], "keygate; error=connection_refused");
  }
  EXPECT_EQ(keygate.readiness(), 200);
}

TEST_F(Upstreams, F32_AStaleConnectionIsTriedAgainAtTheOtherEndpoint) {
  start_before_both();
  RawClient client = keygate.connect();
  client.ask(request_to("/v1/x", k1.bearer()));
  client.ask(request_to("/v1/x", k1.bearer()));
  upstream.follow([](Turn& turn) {
    turn.read_body();
    if (turn.number() > 0) {
      turn.close();  // it has been in the pool
    } else {
      turn.answer(200, "fresh");
    }
  });
  upstream.forget();
  other.forget();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(client.ask(request_to("/v1/x", k1.bearer())).status, 200);
  }
  ASSERT_FALSE(upstream.requests().empty());
  const std::string tried = upstream.requests().front().fields["x-request-id"];
  int again = 0;
  for (const Request& request : other.requests()) again += request.fields["x-request-id"] == tried ? 1 : 0;
  EXPECT_EQ(again, 1) << "it was not sent to the other endpoint";
}

TEST_F(Upstreams, N12_APostOnAStaleConnectionGoesToNoOtherEndpoint) {
  start_before_both();
  RawClient client = keygate.connect();
  client.ask(request_to("/v1/x", k1.bearer()));
  client.ask(request_to("/v1/x", k1.bearer()));
  for (RecordingUpstream* const one : {&upstream, &other}) {
    one->follow([](Turn& turn) {
      turn.read_body();
      turn.close();
    });
    one->forget();
  }
  expect_problem(ask(request_with_body("/v1/x", "hello", k1.bearer())), 502, "upstream_protocol_error");
  EXPECT_EQ(upstream.requests().size() + other.requests().size(), 1U) << "a POST was sent twice";
}

TEST_F(Upstreams, F40_ANameIsResolvedAndOneThatDoesNotResolveIsSteppedOver) {
  const std::string local = "http://localhost:" + std::to_string(upstream.port());
  start({.upstreams = "{default: {endpoints: [\"" + local + "\", \"http://no-such-host.invalid\"]}}"});
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200) << i;
  }
}

TEST_F(Upstreams, F40_ANameThatNeverResolvesIsABadGateway) {
  start({.upstreams = "{default: {endpoints: [\"http://no-such-host.invalid\"]}}"});
  const Response response = ask(request_to("/v1/x", k1.bearer()));
  expect_problem(response, 502, "upstream_unreachable");
  EXPECT_EQ(response.fields["proxy-status"], "keygate; error=dns_error");
  EXPECT_EQ(keygate.readiness(), 200);
}

}  // namespace
}  // namespace keygate::test
