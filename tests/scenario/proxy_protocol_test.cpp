// whom a balancer says a connection comes from, believed from trusted_proxies alone, and then required.
#include "tests/support/bridge.hpp"
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace keygate::test {
namespace {

const std::string from_9 = "PROXY TCP4 203.0.113.9 127.0.0.1 4000 443\r\n";
const std::string v2_from_9("\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0C\xCB\x00\x71\x09\x7F\x00\x00\x01\x0F\xA0\x01\xBB", 28);
const std::string v2_local("\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00", 16);

class ProxyProtocol : public Scenario {
 protected:
  void start_behind_balancer(const std::string& trusted = "127.0.0.1", const std::string& more_listener = "") {
    balanced_port = free_port();
    start({.more = "trusted_proxies: [\"" + trusted + "\"]\nlisteners:\n  - {address: \"127.0.0.1:" +
                   std::to_string(balanced_port) + "\", proxy_protocol: true" + more_listener + "}\n"});
  }
  // Served, and the upstream was told so of the client.
  void expect_client(const std::string& preface, const std::string& client, const std::string& fields = "") {
    upstream.forget();
    EXPECT_EQ(test::ask(balanced_port, preface + request_to("/v1/x", k1.bearer() + fields)).status, 200);
    EXPECT_EQ(upstream.only_request().fields["x-forwarded-for"], client);
  }
  void expect_closed(const std::string& bytes) {
    RawClient client(balanced_port);
    client.send(bytes);
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(upstream.bytes(), "");
  }

  std::uint16_t balanced_port = 0;
};

TEST_F(ProxyProtocol, A14_TheClientIsWhomTheBalancerNames) {
  start_behind_balancer();
  expect_client(from_9, "203.0.113.9");
  expect_client(v2_from_9, "203.0.113.9");
  expect_client("PROXY TCP6 2001:db8::7 ::1 1 2\r\n", "2001:db8::7");
  expect_client(v2_local, "127.0.0.1");
  expect_client("PROXY UNKNOWN\r\n", "unknown");
  EXPECT_EQ(
      text_of(keygate.wait_for_log([](const auto& line) { return text_of(line, "client") == "203.0.113.9"; }), "code"),
      "ok");
}

TEST_F(ProxyProtocol, A14_WhoeverItNamesIsNotTrustedItself) {
  start_behind_balancer();
  expect_client(from_9, "203.0.113.9", "X-Forwarded-For: 10.1.1.1\r\nX-Real-IP: 10.1.1.1\r\n");
  expect_client("PROXY UNKNOWN\r\n", "unknown", "X-Forwarded-For: 10.1.1.1\r\n");
}

TEST_F(ProxyProtocol, A14_TheHeaderIsForTheConnectionNotTheRequest) {
  start_behind_balancer();
  RawClient client(balanced_port);
  EXPECT_EQ(client.ask(from_9 + request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_EQ(client.ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_EQ(client.ask(from_9 + request_to("/v1/x", k1.bearer())).status, 400);
  EXPECT_EQ(upstream.requests().size(), 2U);
}

TEST_F(ProxyProtocol, A14_ComesByteByByteToo) {
  start_behind_balancer();
  for (const std::string& header : {from_9, v2_from_9}) {
    RawClient client(balanced_port);
    client.send_split(header + request_to("/v1/x", k1.bearer()));
    EXPECT_EQ(client.read_response().status, 200);
  }
}

TEST_F(ProxyProtocol, A14_WithoutAHeaderTheConnectionIsClosed) {
  start_behind_balancer();
  expect_closed(request_to("/v1/x", k1.bearer()));
  expect_closed("PROXY TCP4 203.0.113.9 127.0.0.1 4000\r\n" + request_to("/v1/x", k1.bearer()));
  expect_closed("PROXY UNKNOWN " + std::string(100, 'x') + "\r\n" + request_to("/v1/x", k1.bearer()));
}

TEST_F(ProxyProtocol, A14_APartOfAHeaderIsWaitedForThreeSeconds) {
  start_behind_balancer();
  RawClient client(balanced_port);
  const auto began = std::chrono::steady_clock::now();
  client.send("PROXY TCP4 ");
  EXPECT_TRUE(client.is_ended());
  const auto waited = std::chrono::steady_clock::now() - began;
  EXPECT_GE(waited, std::chrono::milliseconds(2'900));
  EXPECT_LT(waited, std::chrono::seconds(6));
}

TEST_F(ProxyProtocol, H07_ANobodyIsNotHeardWhateverItSays) {
  start_behind_balancer("10.0.0.0/8");
  expect_closed(from_9 + request_to("/v1/x", k1.bearer()));
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("none of trusted_proxies") != std::string::npos; }));
}

TEST_F(ProxyProtocol, A14_APlainListenerDoesNotGuess) {
  start_behind_balancer();
  expect_denied(from_9 + request_to("/v1/x", k1.bearer()), {400, "bad_request", Ending::closed});
  expect_denied(v2_from_9 + request_to("/v1/x", k1.bearer()), {400, "bad_request", Ending::closed});
}

TEST_F(ProxyProtocol, A14_ComesBeforeTls) {
  const CertificateAuthority authority;
  const Certificate own = authority.issue({"DNS:localhost"});
  keygate.directory().write("tls.crt", own.certificate);
  keygate.directory().write("tls.key", own.private_key);
  start_behind_balancer("127.0.0.1", ", tls: {certificate_file: tls.crt, private_key_file: tls.key}");
  const Bridge bridge(
      {}, {.port = balanced_port, .tls = tls_client(authority.certificate()), .name = "localhost", .preface = from_9});
  EXPECT_EQ(test::ask(bridge.port(), request_to("/v1/x", k1.bearer())).status, 200);
  const Request seen = upstream.only_request();
  EXPECT_EQ(seen.fields["x-forwarded-for"], "203.0.113.9");
  EXPECT_EQ(seen.fields["x-forwarded-proto"], "https");
}

TEST_F(ProxyProtocol, A14_OverAUnixSocketWhoeverMayConnectMaySay) {
  start({.more = "listeners: [{address: \"unix:in.sock\", proxy_protocol: true}]\n"});
  const Bridge bridge({}, {.socket = keygate.directory() / "in.sock"});
  EXPECT_EQ(test::ask(bridge.port(), from_9 + request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_EQ(upstream.only_request().fields["x-forwarded-for"], "203.0.113.9");
}

}  // namespace
}  // namespace keygate::test
