// TLS from clients, and unix sockets: with curl, openssl and raw bytes through a real handshake.
#include "tests/support/curl.hpp"
#include "tests/support/tls_scenario.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <signal.h>
#include <sys/stat.h>

namespace keygate::test {
namespace {

class ListenerTls : public TlsScenario {};

TEST_F(ListenerTls, CurlIsServedAndTheUpstreamIsToldHttps) {
  start_with_tls();
  const CurlResult result = curl({"--cacert", ca, "-H", k1.bearer().substr(0, k1.bearer().size() - 2), url("/v1/x")});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.status, 200);
  const Request seen = upstream.only_request();
  EXPECT_EQ(seen.fields["x-forwarded-proto"], "https");
  EXPECT_NE(seen.fields["forwarded"].find(";proto=https"), std::string::npos) << seen.fields["forwarded"];
}

// curl then offers http/1.0 and nothing else.
TEST_F(ListenerTls, AClientOfHttp10IsServed) {
  start_with_tls();
  const CurlResult result =
      curl({"--http1.0", "--cacert", ca, "-H", k1.bearer().substr(0, k1.bearer().size() - 2), url("/v1/x")});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.status, 200);
}

TEST_F(ListenerTls, H06_APlainClientCannotClaimHttps) {
  start_with_tls();
  const Request seen = expect_granted(request_to("/v1/x", k1.bearer() + "X-Forwarded-Proto: https\r\n"));
  EXPECT_EQ(seen.fields["x-forwarded-proto"], "http");
}

TEST_F(ListenerTls, RequestsAreKeptApartAndDeniedAsOverPlain) {
  start_with_tls();
  const auto bridge = bridge_to_tls();
  RawClient client(bridge->port());
  EXPECT_EQ(client.ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_EQ(client.ask(request_to("/v1/x")).status, 401);
  client.send(request_to("/v1/1", k1.bearer()) + request_to("/v1/2", k1.bearer()));
  EXPECT_EQ(client.read_response().status, 200);
  EXPECT_EQ(client.read_response().status, 200);
  client.send_split(request_to("/v1/split", k1.bearer()));
  EXPECT_EQ(client.read_response().status, 200);
  EXPECT_EQ(client.ask("GET / HTTP/1.1\r\n\r\n").status, 400);
  EXPECT_TRUE(client.is_ended());
  ASSERT_EQ(bridge->handshakes().size(), 1U);
  EXPECT_EQ(bridge->handshakes()[0].protocol, "http/1.1");
}

TEST_F(ListenerTls, LargeBodiesGoBothWaysWhole) {
  start_with_tls();
  const auto bridge = bridge_to_tls();
  std::string body(5'000'000, 'x');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i * 7 % 26);
  upstream.follow([](Turn& turn) {
    const std::string received = turn.read_body();
    turn.answer(200, received);
  });
  const Response response = test::ask(bridge->port(), request_with_body("/v1/x", body, k1.bearer()));
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.body == body);
}

TEST_F(ListenerTls, ASessionIsResumed) {
  start_with_tls();
  const auto bridge = bridge_to_tls();
  for (int i = 0; i < 2; ++i) {
    RawClient client(bridge->port());
    EXPECT_EQ(client.ask(request_to("/v1/x", k1.bearer() + "Connection: close\r\n")).status, 200);
    EXPECT_TRUE(client.is_ended());
  }
  ASSERT_EQ(bridge->handshakes().size(), 2U);
  EXPECT_TRUE(bridge->handshakes()[1].is_resumed);
}

TEST_F(ListenerTls, OldVersionsAndWeakCiphersAreRefused) {
  start_with_tls();
  EXPECT_EQ(openssl({"-tls1_2"}).status.code, 0);
  EXPECT_NE(openssl({"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"}).status.code, 0);
  EXPECT_NE(openssl({"-tls1_2", "-cipher", "AES128-GCM-SHA256"}).status.code, 0);          // no forward secrecy
  EXPECT_NE(openssl({"-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"}).status.code, 0);  // CBC
  EXPECT_NE(openssl({"-alpn", "h2"}).status.code, 0);
  EXPECT_EQ(openssl({"-alpn", "h2,http/1.1"}).status.code, 0);
}

TEST_F(ListenerTls, MinVersion13RefusesTls12) {
  start_with_tls(", min_version: \"1.3\"");
  EXPECT_NE(openssl({"-tls1_2"}).status.code, 0);
  EXPECT_EQ(openssl({"-tls1_3"}).status.code, 0);
}

TEST_F(ListenerTls, F65_EarlyDataIsOffAndNobodyRenegotiates) {
  start_with_tls();
  EXPECT_EQ(openssl({"-tls1_3"}).output.find("Max Early Data: 1"), std::string::npos);
  const Finished finished =
      run({{"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(tls_port), "-CAfile", ca, "-tls1_2"},
           {},
           "",
           "R\nGET / HTTP/1.1\r\n\r\n"});
  EXPECT_EQ(finished.output.find("HTTP/1.1"), std::string::npos) << finished.output;
}

TEST_F(ListenerTls, PlainBytesAreNoHandshake) {
  start_with_tls();
  RawClient client(tls_port);
  client.send(request_to("/v1/x", k1.bearer()));
  EXPECT_EQ(client.read_to_end().find("HTTP"), std::string::npos);
  EXPECT_EQ(upstream.bytes(), "");
}

TEST_F(ListenerTls, F65_AHandshakeThatStandsStillIsEndedWhileOthersAreServed) {
  start_with_tls();
  RawClient silent(tls_port);
  silent.send(std::string("\x16\x03\x01", 3));
  const auto bridge = bridge_to_tls();
  EXPECT_EQ(test::ask(bridge->port(), request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_TRUE(silent.is_ended(std::chrono::seconds(8)));
}

TEST_F(ListenerTls, RequiredClientCertificatesAreRequired) {
  start_with_tls(", client_ca_file: ca.pem, client_certificate: required");
  EXPECT_NE(curl({"--cacert", ca, url("/public/x")}).status, 200);
  const CertificateAuthority stranger;
  const auto wrong = bridge_to_tls(stranger.issue({"DNS:client"}));
  RawClient refused(wrong->port());
  refused.send(request_to("/public/x"));
  EXPECT_EQ(refused.read_to_end(), "");
  EXPECT_EQ(upstream.bytes(), "");
  const auto right = bridge_to_tls(authority.issue({"DNS:client"}));
  EXPECT_EQ(test::ask(right->port(), request_to("/public/x")).status, 200);
}

TEST_F(ListenerTls, OptionalClientCertificatesAreStillVerified) {
  start_with_tls(", client_ca_file: ca.pem, client_certificate: optional");
  EXPECT_EQ(curl({"--cacert", ca, url("/public/x")}).status, 200);
  const CertificateAuthority stranger;
  const auto wrong = bridge_to_tls(stranger.issue({"DNS:client"}));
  RawClient refused(wrong->port());
  refused.send(request_to("/public/x"));
  EXPECT_EQ(refused.read_to_end(), "");
}

TEST_F(ListenerTls, F65_AReloadTakesTheNewCertificateAndKeepsTheOldOneWhereTheNewIsBad) {
  start_with_tls();
  const auto is_trusted_by = [this](const std::string& file) {
    return curl({"--cacert", file, url("/public/x")}).status == 200;
  };
  ASSERT_TRUE(is_trusted_by(ca));
  const auto reload_is_refused = [this](const std::string& why) {
    keygate.signal(SIGHUP);
    return eventually([&] { return keygate.errors().find(why) != std::string::npos; });
  };
  show(authority.issue({"DNS:localhost"}, -7200, -3600));
  EXPECT_TRUE(reload_is_refused("has expired")) << keygate.errors();
  EXPECT_TRUE(is_trusted_by(ca));
  keygate.directory().write("tls.key", authority.issue({"DNS:localhost"}).private_key);
  keygate.directory().write("tls.crt", authority.issue({"DNS:localhost"}).certificate);
  EXPECT_TRUE(reload_is_refused("is not the key of")) << keygate.errors();
  EXPECT_TRUE(is_trusted_by(ca));
  const CertificateAuthority next;
  const std::string next_ca = keygate.directory().write("next.pem", next.certificate());
  show(next.issue({"DNS:localhost"}));
  const auto open = bridge_to_tls();
  RawClient client(open->port());
  EXPECT_EQ(client.ask(request_to("/public/x")).status, 200);
  keygate.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return is_trusted_by(next_ca); })) << keygate.errors();
  EXPECT_FALSE(is_trusted_by(ca));
  EXPECT_EQ(client.ask(request_to("/public/x")).status, 200);  // whoever is in stays in
}

TEST_F(ListenerTls, C12_AnUnreadableKeyOrCaStopsTheStart) {
  show(authority.issue({"DNS:localhost"}));
  for (const std::string tls : {"{certificate_file: tls.crt, private_key_file: none.key}",
                                "{certificate_file: tls.crt, private_key_file: tls.key, client_ca_file: none.pem, "
                                "client_certificate: required}"}) {
    keygate.write_files({.upstream_port = 1, .more = "listeners: [{address: 127.0.0.1:0, tls: " + tls + "}]\n"});
    const Finished finished = keygate.run_to_failure();
    EXPECT_NE(finished.errors.find("listeners.tls: "), std::string::npos) << finished.errors;
  }
}

class UnixListener : public Scenario {
 protected:
  std::string path() const { return keygate.directory() / "in.sock"; }
  void start_on_socket() { start({.more = "listeners: [{address: \"unix:in.sock\"}]\n", .threads = 2}); }
};

TEST_F(UnixListener, ServesOwnerAndGroupAndIsRemovedAtTheEnd) {
  start_on_socket();
  struct stat facts {};
  ASSERT_EQ(::stat(path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0660U);
  const CurlResult result =
      curl({"--unix-socket", path(), "-H", k1.bearer().substr(0, k1.bearer().size() - 2), "http://api.local/v1/x"});
  EXPECT_EQ(result.status, 200) << result.errors;
  EXPECT_EQ(upstream.only_request().fields["x-forwarded-for"], "unknown");
  EXPECT_EQ(keygate.stop(), (ExitStatus{0, 0}));
  EXPECT_NE(::stat(path().c_str(), &facts), 0);
}

TEST_F(UnixListener, AStaleFileIsReplacedAndALiveOneIsNot) {
  { const Socket left = listen_on_path(path()); }  // as after a kill: the file is there, and nobody answers
  start_on_socket();
  EXPECT_EQ(curl({"--unix-socket", path(), "http://api.local/public/x"}).status, 200);
  Keygate second;
  second.write_files({.upstream_port = 1, .more = "listeners: [{address: \"unix:" + path() + "\"}]\n"});
  EXPECT_NE(second.run_to_failure().errors.find("cannot listen on unix:" + path()), std::string::npos);
  EXPECT_EQ(curl({"--unix-socket", path(), "http://api.local/public/x"}).status, 200);
}

TEST_F(UnixListener, AFileThatIsNoSocketStays) {
  keygate.directory().write("in.sock", "precious");
  keygate.write_files({.upstream_port = 1, .more = "listeners: [{address: \"unix:in.sock\"}]\n"});
  EXPECT_NE(keygate.run_to_failure().errors.find("cannot listen on unix:"), std::string::npos);
  EXPECT_EQ(read_file(path()), "precious");
}

}  // namespace
}  // namespace keygate::test
