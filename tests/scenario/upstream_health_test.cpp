// Health checks: an endpoint that fails them gets no requests until it passes them again, and nobody's key is in them.
#include "tests/support/bridge.hpp"
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <signal.h>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

constexpr const char* quick_check =
    "health_check: {path: /healthz, interval: 100ms, timeout: 1s, unhealthy_after: 2, healthy_after: 2}";

// An upstream whose health a test decides on.
struct Patient {
  Patient() {
    server.follow([this](Turn& turn) {
      turn.read_body();
      if (turn.request().target == "/healthz") {
        ++checks;
        turn.answer(health, "", "Connection: close\r\n");
        turn.close();
      } else {
        ++served;
        turn.answer(200, "ok");
      }
    });
  }
  std::atomic<int> health = 200;
  std::atomic<int> checks = 0, served = 0;
  RecordingUpstream server;
};

class UpstreamHealth : public Scenario {
 protected:
  void start_before(const std::vector<std::uint16_t>& ports, unsigned threads = 1,
                    const std::string& check = quick_check) {
    std::string list;
    for (const std::uint16_t port : ports) {
      list += (list.empty() ? "" : ", ") + ("\"http://127.0.0.1:" + std::to_string(port) + "\"");
    }
    start({.upstreams = "{default: {endpoints: [" + list + "], " + check + "}}", .threads = threads});
  }
  bool is_logged(const std::string& text) const { return keygate.errors().find(text) != std::string::npos; }
};

TEST_F(UpstreamHealth, F30_ASickEndpointGetsNoRequestsAndComesBack) {
  Patient well, sick;
  sick.health = 500;
  start_before({well.server.port(), sick.server.port()});
  ASSERT_TRUE(eventually([&] { return is_logged(" is unhealthy: it answered 500"); }));
  const int before = sick.served;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  }
  EXPECT_EQ(sick.served, before);
  sick.health = 204;
  ASSERT_TRUE(eventually([&] { return is_logged(" is healthy again"); }));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  }
  EXPECT_EQ(sick.served, before + 5);
}

TEST_F(UpstreamHealth, F30_WhereAllAreSickTheAnswerIs503AndTheUpstreamHearsNothing) {
  Patient one;
  one.health = 503;
  start_before({one.server.port(), free_port()});
  ASSERT_TRUE(eventually([&] { return is_logged("it answered 503") && is_logged("Connection refused"); }));
  const Response response = ask(request_to("/v1/x", k1.bearer()));
  expect_problem(response, 503, "no_healthy_upstream");
  EXPECT_EQ(response.fields["retry-after"], "1");
  EXPECT_EQ(response.fields["proxy-status"], "keygate; error=destination_unavailable");
  EXPECT_EQ(one.served, 0);
  EXPECT_EQ(keygate.readiness(), 200) << "taking the proxy out would not help";
}

TEST_F(UpstreamHealth, F30_OneEndpointAloneIsCheckedToo) {
  Patient only;
  start_before({only.server.port()});
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  only.health = 404;
  EXPECT_TRUE(eventually([&] { return ask(request_to("/v1/x", k1.bearer())).status == 503; }));
  only.health = 200;
  EXPECT_TRUE(eventually([&] { return ask(request_to("/v1/x", k1.bearer())).status == 200; }));
}

TEST_F(UpstreamHealth, H12_ChecksCarryNothingOfAnyClient) {
  Patient one;
  start_before({one.server.port()});
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  const int before = one.checks;
  ASSERT_TRUE(eventually([&] { return one.checks > before; }));
  for (const Request& request : one.server.requests()) {
    if (request.target != "/healthz") continue;
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.fields["host"], "127.0.0.1:" + std::to_string(one.server.port()));
    EXPECT_EQ(request.fields["user-agent"], "keygate-health-check");
    for (const char* const name : {"authorization", "x-api-key", "cookie", "x-org-id", "x-key-id", "x-auth-method"}) {
      EXPECT_EQ(request.fields[name], "(absent)") << name;
    }
  }
}

TEST_F(UpstreamHealth, F31_ACheckThatIsNotAnsweredInTimeHasFailed) {
  RecordingUpstream silent([](Turn& turn) {
    turn.read_body();
    turn.wait_for_end();
  });
  start_before({silent.port()}, 1,
               "health_check: {path: /healthz, interval: 100ms, timeout: 100ms, unhealthy_after: 1}");
  EXPECT_TRUE(eventually([&] { return is_logged(" is unhealthy: no answer in time"); }));
  EXPECT_TRUE(eventually([&] { return silent.open_connections() <= 1; })) << "late checks pile up";
}

TEST_F(UpstreamHealth, F36_AnAnswerThatIsNotHttpHasFailed) {
  RecordingUpstream babble([](Turn& turn) {
    turn.read_body();
    turn.send("SSH-2.0-OpenSSH_9.2\r\n");
    turn.close();
  });
  start_before({babble.port()}, 1, "health_check: {path: /healthz, interval: 100ms, unhealthy_after: 1}");
  EXPECT_TRUE(eventually([&] { return is_logged(" is unhealthy: its answer is not HTTP"); }));
}

TEST_F(UpstreamHealth, OneOfManyWorkersChecksAndAllKnow) {
  Patient sick;
  sick.health = 500;
  const auto begin = std::chrono::steady_clock::now();
  start_before({sick.server.port()}, 4);
  ASSERT_TRUE(eventually([&] { return sick.checks >= 10; }));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(9 * 90)) << "more than one checks";
  ASSERT_TRUE(eventually([&] { return is_logged(" is unhealthy"); }));
  for (int i = 0; i < 20; ++i) {  // connections are spread over the workers
    EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 503);
  }
  EXPECT_EQ(sick.served, 0);
}

TEST_F(UpstreamHealth, ChecksGoOverTheSameTls) {
  const CertificateAuthority authority;
  Patient one;
  keygate.directory().write("ca.pem", authority.certificate());
  Bridge front(BridgeEnd{.tls = tls_server(authority.issue({"DNS:api.internal"}))},
               BridgeEnd{.port = one.server.port()});
  start({.upstreams = "{default: {endpoints: [\"https://127.0.0.1:" + std::to_string(front.port()) +
                      "\"], tls: {ca_file: ca.pem, server_name: api.internal}, " + quick_check + "}}"});
  EXPECT_TRUE(eventually([&] { return one.checks >= 3; }));
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_FALSE(is_logged("is unhealthy"));
}

TEST_F(UpstreamHealth, ChecksEndWithTheUpstreamThatAReloadTakesOut) {
  Patient old, next;
  start_before({old.server.port()});
  ASSERT_TRUE(eventually([&] { return old.checks > 0; }));
  const std::string config = read_file(keygate.config_file());
  std::string changed = config;
  changed.replace(changed.find(std::to_string(old.server.port())), std::to_string(old.server.port()).size(),
                  std::to_string(next.server.port()));
  keygate.directory().write("keygate.yaml", changed);
  keygate.signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return next.checks > 2; }));
  const int at_most = old.checks;
  ASSERT_TRUE(eventually([&, from = next.checks.load()] { return next.checks > from + 3; }));
  EXPECT_EQ(old.checks, at_most);
}

}  // namespace
}  // namespace keygate::test
