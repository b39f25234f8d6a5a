// The way to the upstream over TLS and unix sockets: with a real OpenSSL in front of the recording upstream. Whatever
// is wrong with TLS is 502 with its RFC 9209 name, and nothing is sent in clear.
#include "tests/support/bridge.hpp"
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <signal.h>
#include <sys/socket.h>
#include <thread>

namespace keygate::test {
namespace {

const std::vector<std::string> local{"DNS:localhost", "IP:127.0.0.1"};

class UpstreamTls : public Scenario {
 protected:
  // The upstream behind TLS with this certificate.
  void speak_tls(const Certificate& certificate, const std::string& client_ca = "") {
    front = std::make_unique<Bridge>(BridgeEnd{.tls = tls_server(certificate, client_ca)},
                                     BridgeEnd{.port = upstream.port()});
  }
  void start_before_front(const std::string& host = "127.0.0.1", const std::string& more_tls = "") {
    keygate.directory().write("ca.pem", authority.certificate());
    start({.upstreams = "{default: {endpoints: [\"https://" + host + ":" + std::to_string(front->port()) +
                        "\"], tls: {ca_file: ca.pem" + more_tls + "}, timeouts: {connect: 2s, response_header: 2s}}}"});
  }
  void expect_refused(const std::string& proxy_error) {
    const Response response = ask(request_to("/v1/x", k1.bearer()));
    EXPECT_EQ(response.status, 502);
    EXPECT_EQ(response.fields["proxy-status"], "keygate; error=" + proxy_error);
    EXPECT_EQ(upstream.bytes(), "");
  }

  CertificateAuthority authority;
  std::unique_ptr<Bridge> front;
};

TEST_F(UpstreamTls, IsVerifiedAndSaysHttp11) {
  speak_tls(authority.issue(local));
  start_before_front();
  EXPECT_EQ(expect_granted(request_to("/v1/x", k1.bearer())).target, "/v1/x");
  ASSERT_EQ(front->handshakes().size(), 1U);
  EXPECT_EQ(front->handshakes()[0].protocol, "http/1.1");
  EXPECT_EQ(front->handshakes()[0].server_name, "");  // an address has no name to ask for
  EXPECT_EQ(front->handshakes()[0].version, "TLSv1.3");
}

TEST_F(UpstreamTls, AConnectionIsUsedAgain) {
  speak_tls(authority.issue(local));
  start_before_front();
  RawClient client = keygate.connect();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client.ask(request_to("/v1/x", k1.bearer())).status, 200);
  }
  EXPECT_EQ(upstream.connections(), 1U);
}

TEST_F(UpstreamTls, ANewConnectionResumesTheSession) {
  speak_tls(authority.issue(local));
  start_before_front();
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.answer(200, "ok", "Connection: close\r\n");
  });
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  }
  const auto made = front->handshakes();
  ASSERT_EQ(made.size(), 3U);
  EXPECT_FALSE(made[0].is_resumed);
  EXPECT_TRUE(made[1].is_resumed);
  EXPECT_TRUE(made[2].is_resumed);
}

TEST_F(UpstreamTls, TheNameIsAskedForAndExpected) {
  speak_tls(authority.issue({"DNS:api.internal"}));
  start_before_front("127.0.0.1", ", server_name: api.internal");
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  ASSERT_EQ(front->handshakes().size(), 1U);
  EXPECT_EQ(front->handshakes()[0].server_name, "api.internal");
}

TEST_F(UpstreamTls, ALargeBodyGoesUpAndComesDownWhole) {
  speak_tls(authority.issue(local));
  start_before_front();
  std::string body(5'000'000, 'x');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i * 7 % 26);
  upstream.follow([](Turn& turn) {
    const std::string received = turn.read_body();
    turn.answer(200, received);
  });
  const Response response = ask(request_with_body("/v1/x", body, k1.bearer()));
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.body == body);
}

TEST_F(UpstreamTls, AWrongNameIsRefused) {
  speak_tls(authority.issue({"DNS:other.internal"}));
  start_before_front();
  expect_refused("tls_certificate_error");
}

TEST_F(UpstreamTls, AnUnknownAuthorityIsRefused) {
  const CertificateAuthority stranger;
  speak_tls(stranger.issue(local));
  start_before_front();
  expect_refused("tls_certificate_error");
}

TEST_F(UpstreamTls, AnExpiredCertificateIsRefused) {
  speak_tls(authority.issue(local, -7200, -3600));
  start_before_front();
  expect_refused("tls_certificate_error");
}

// As plain servers answer a ClientHello.
TEST_F(UpstreamTls, PlainHttpIsNoTls) {
  const Listening plain = listen_on_loopback();
  std::thread answer([&plain] {
    for (int i = 0; i < 2; ++i) {  // and the retry
      const Socket taken(::accept(plain.socket.fd(), nullptr, nullptr));
      taken.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    }
  });
  keygate.directory().write("ca.pem", authority.certificate());
  start({.upstreams = "{default: {endpoints: [\"https://127.0.0.1:" + std::to_string(plain.port) +
                      "\"], tls: {ca_file: ca.pem}}}"});
  expect_refused("tls_protocol_error");
  plain.socket.shut_down();
  answer.join();
}

TEST_F(UpstreamTls, AHandshakeThatStandsStillTimesOut) {
  const Listening silent = listen_on_loopback();
  keygate.directory().write("ca.pem", authority.certificate());
  start({.upstreams = "{default: {endpoints: [\"https://127.0.0.1:" + std::to_string(silent.port) +
                      "\"], tls: {ca_file: ca.pem}, timeouts: {connect: 300ms}}}"});
  expect_refused("connection_timeout");
}

TEST_F(UpstreamTls, OurCertificateIsShownWhereItIsAskedFor) {
  const Certificate own = authority.issue({"DNS:keygate"});
  keygate.directory().write("own.crt", own.certificate);
  keygate.directory().write("own.key", own.private_key);
  speak_tls(authority.issue(local), authority.certificate());
  start_before_front("127.0.0.1", ", certificate_file: own.crt, private_key_file: own.key");
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  ASSERT_EQ(front->handshakes().size(), 1U);
  EXPECT_EQ(front->handshakes()[0].peer, "Keygate test");
}

TEST_F(UpstreamTls, WhoHasNoCertificateIsToldSo) {
  speak_tls(authority.issue(local), authority.certificate());
  start_before_front();
  expect_refused("tls_alert_received");
}

TEST_F(UpstreamTls, ABodyWithoutAnEndOfItsOwnIsCutWhereTlsIsCutOff) {
  speak_tls(authority.issue(local));
  front->be_rude();
  start_before_front();
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.send("HTTP/1.1 200 OK\r\n\r\nhalf");
    turn.close();
  });
  RawClient client = keygate.connect();
  client.send(request_to("/v1/x", k1.bearer()));
  EXPECT_THROW(client.read_response(), std::runtime_error);  // chunked, and never ended
}

TEST_F(UpstreamTls, ABodyThatEndsWithCloseNotifyIsWhole) {
  speak_tls(authority.issue(local));
  start_before_front();
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.send("HTTP/1.1 200 OK\r\n\r\nwhole");
    turn.close();
  });
  const Response response = ask(request_to("/v1/x", k1.bearer()));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "whole");
}

TEST_F(UpstreamTls, AReloadThatChangesNothingKeepsItsConnections) {
  speak_tls(authority.issue(local));
  start_before_front();
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  keygate.signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return keygate.errors().find("generation 2 is in force") != std::string::npos; }));
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_EQ(upstream.connections(), 1U);
}

TEST_F(UpstreamTls, ABadFileIsNamedAtTheStart) {
  keygate.directory().write("ca.pem", "no certificate");
  keygate.write_files({.upstreams = "{default: {endpoints: [\"https://127.0.0.1:1\"], tls: {ca_file: ca.pem}}}"});
  const Finished finished = keygate.run_to_failure();
  EXPECT_NE(finished.errors.find("ca.pem\" cannot be read as certificates"), std::string::npos) << finished.errors;
}

class UnixUpstream : public Scenario {};

TEST_F(UnixUpstream, IsForwardedToLikeAnyOther) {
  const std::string path = keygate.directory() / "app.sock";
  const Bridge bridge({.socket = path}, {.port = upstream.port()});
  start({.upstreams = "{default: {endpoints: [\"unix:app.sock\"]}}"});
  const Request seen = expect_granted(request_with_body("/v1/x", "hello", k1.bearer()));
  EXPECT_EQ(seen.fields["host"], "api.local");
  EXPECT_EQ(seen.body, "hello");
}

TEST_F(UnixUpstream, NobodyThereIs502) {
  start({.upstreams = "{default: {endpoints: [\"unix:nobody.sock\"]}}"});
  const Response response = ask(request_to("/v1/x", k1.bearer()));
  EXPECT_EQ(response.status, 502);
  EXPECT_EQ(response.fields["proxy-status"], "keygate; error=destination_unavailable");
}

}  // namespace
}  // namespace keygate::test
