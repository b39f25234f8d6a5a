// Live and test upstreams side by side: no request, pooled connection, retry, queue or health check leads from one to
// the other, whatever fails.
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace keygate::test {
namespace {

constexpr std::string_view split_policy = R"(version: 1
scopes:
  "v1:read": Read
routes:
  - name: split
    match: {path: "/v1/{rest...}"}
    require: {scopes: "v1:read"}
    upstream: {live: app, test: sandbox}
)";

std::string list_of(const std::vector<std::uint16_t>& ports) {
  std::string list;
  for (const std::uint16_t port : ports) {
    list += (list.empty() ? "\"http://127.0.0.1:" : ", \"http://127.0.0.1:") + std::to_string(port) + "\"";
  }
  return "[" + list + "]";
}

class EnvironmentPools : public Scenario {
 protected:
  // `live` and `test`: what stands in the two upstreams besides their endpoints, comma first.
  void start_split(const std::vector<std::uint16_t>& test_ports, const std::string& live_more = "",
                   const std::string& test_more = "", unsigned threads = 1) {
    start({.policy = std::string(split_policy),
           .upstreams = "{app: {endpoints: " + list_of({upstream.port(), live_too.port()}) + live_more +
                        "}, sandbox: {endpoints: " + list_of(test_ports) + test_more + "}}",
           .more = "credentials: {formats: [{prefix: rk_test_, environment: test, length: 48}, {prefix: rk_, "
                   "environment: live, length: 48}]}\n",
           .threads = threads});
    live = keygate.create_key({.environment = "live", .prefix = "rk_"});
    test = keygate.create_key({.environment = "test", .prefix = "rk_test_"});
  }
  void warm_live_pools() {
    RawClient client = keygate.connect();
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(client.ask(request_to("/v1/warm", live.bearer())).status, 200);
    }
    upstream.forget();
    live_too.forget();
  }
  void expect_live_untouched() const {
    EXPECT_EQ(upstream.bytes(), "") << "a test key reached a live endpoint";
    EXPECT_EQ(live_too.bytes(), "") << "a test key reached a live endpoint";
  }

  RecordingUpstream live_too, sandbox, sandbox_too;
  Key live, test;
};

TEST_F(EnvironmentPools, C13_ATestKeyFindsNoLiveEndpointWhenAllOfItsOwnAreDown) {
  start_split({free_port(), free_port()}, "", ", retries: {attempts: 5}");
  warm_live_pools();
  for (int i = 0; i < 10; ++i) {
    expect_problem(ask(request_to("/v1/x", test.bearer())), 502, "upstream_unreachable");
  }
  expect_live_untouched();
}

TEST_F(EnvironmentPools, C13_ARetryStaysInItsEnvironment) {
  start_split({sandbox.port(), sandbox_too.port()}, "", ", retries: {attempts: 5}");
  warm_live_pools();
  RawClient client = keygate.connect();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(client.ask(request_to("/v1/x", test.bearer())).status, 200);
  }
  for (RecordingUpstream* const one : {&sandbox, &sandbox_too}) {
    one->follow([](Turn& turn) {
      turn.read_body();
      turn.close();
    });
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ask(request_to("/v1/x", test.bearer())).status, 502);
  }
  expect_live_untouched();
}

TEST_F(EnvironmentPools, C13_AFullQueueSpillsNowhere) {
  start_split({sandbox.port()}, "", ", max_connections: 1, timeouts: {connect: 100ms}");
  warm_live_pools();
  sandbox.follow([](Turn& turn) {
    turn.read_body();
    turn.hold();
    turn.answer(200, "ok");
  });
  RawClient first = keygate.connect();
  first.send(request_to("/v1/x", test.bearer()));
  ASSERT_TRUE(eventually([&] { return sandbox.held() == 1; }));
  for (int i = 0; i < 3; ++i) {
    expect_problem(ask(request_to("/v1/x", test.bearer())), 503, "overloaded");
  }
  expect_live_untouched();
  EXPECT_EQ(ask(request_to("/v1/x", live.bearer())).status, 200) << "the live upstream has a budget of its own";
  sandbox.release();
}

TEST_F(EnvironmentPools, C13_ASickTestUpstreamSpillsNowhere) {
  sandbox.follow([](Turn& turn) {
    turn.read_body();
    turn.answer(500, "");
  });
  start_split({sandbox.port()}, "", ", health_check: {path: /up, interval: 100ms, unhealthy_after: 1}");
  warm_live_pools();
  ASSERT_TRUE(eventually([&] { return ask(request_to("/v1/x", test.bearer())).status == 503; }));
  expect_problem(ask(request_to("/v1/x", test.bearer())), 503, "no_healthy_upstream");
  expect_live_untouched();
}

TEST_F(EnvironmentPools, C13_OneClientConnectionCarriesBothAndTheyPart) {
  start_split({sandbox.port(), sandbox_too.port()});
  RawClient client = keygate.connect();
  std::string pipelined;
  for (int i = 0; i < 6; ++i) {
    pipelined += request_to("/v1/live", live.bearer()) + request_to("/v1/test", test.bearer());
  }
  client.send(pipelined);
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(client.read_response().status, 200);
  }
  for (const RecordingUpstream* const one : {&upstream, &live_too}) {
    EXPECT_EQ(one->requests().size(), 3U);
    for (const Request& request : one->requests()) EXPECT_EQ(request.target, "/v1/live");
  }
  for (const RecordingUpstream* const one : {&sandbox, &sandbox_too}) {
    EXPECT_EQ(one->requests().size(), 3U);
    for (const Request& request : one->requests()) EXPECT_EQ(request.target, "/v1/test");
  }
}

// Many at once on several workers, while endpoints of both close every third connection.
TEST_F(EnvironmentPools, C13_UnderLoadNothingCrosses) {
  start_split({sandbox.port(), sandbox_too.port()}, ", max_connections: 8", ", max_connections: 8", 2);
  for (RecordingUpstream* const one : {&upstream, &live_too, &sandbox, &sandbox_too}) {
    one->follow([](Turn& turn) {
      turn.read_body();
      turn.answer(200, "ok");
      if (turn.number() % 3 == 2) turn.close();
    });
  }
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([this] {
      RawClient client = keygate.connect();
      for (int n = 0; n < 40; ++n) {
        const bool is_live = n % 2 == 0;
        const Response response =
            client.ask(request_to(is_live ? "/v1/live" : "/v1/test", (is_live ? live : test).bearer()));
        EXPECT_EQ(response.status, 200);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  for (const RecordingUpstream* const one : {&upstream, &live_too}) {
    for (const Request& request : one->requests())
      EXPECT_EQ(request.fields["x-environment"] + request.target, "live/v1/live");
  }
  for (const RecordingUpstream* const one : {&sandbox, &sandbox_too}) {
    for (const Request& request : one->requests())
      EXPECT_EQ(request.fields["x-environment"] + request.target, "test/v1/test");
  }
}

}  // namespace
}  // namespace keygate::test
