// Upgrades to WebSocket, byte for byte: who may ask for one, what goes up before the upstream has agreed (nothing),
// what becomes of an upstream that does not, and how the tunnel lives and ends.
#include "tests/support/process.hpp"
#include "tests/support/revoking.hpp"
#include "tests/support/scenario.hpp"
#include "tests/support/shipped_keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <signal.h>
#include <string>
#include <thread>

namespace keygate::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The example of RFC 6455 §1.3.
const std::string key_line = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string accept_line = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
const std::string handshake = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" + key_line;
const std::string agreement =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + accept_line + "\r\n";
// As the client gets it.
const std::string agreed =
    "HTTP/1.1 101 Switching Protocols\r\n" + accept_line + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

std::string upgrade_of(std::string_view target, std::string_view fields = "") {
  return request_to(target, handshake + std::string(fields));
}

// Everything up to `text`, which it ends with; fails the test where it does not come.
std::string read_up_to(RawClient& client, std::string_view text) {
  EXPECT_TRUE(eventually([&] { return client.unread().ends_with(text); })) << shown(client.unread());
  return client.received();
}

// Agrees, and sends back what it is sent until the client has finished.
void echo(Turn& turn) {
  turn.send(agreement);
  for (std::string bytes = turn.receive(); !bytes.empty(); bytes = turn.receive()) {
    turn.send(bytes);
  }
  turn.close();
}

void agree_and_wait(Turn& turn) {
  turn.send(agreement);
  turn.wait_for_end();
}

class WebSocket : public Scenario {
 protected:
  void SetUp() override {
    start();
    upstream.follow(echo);
  }

  // A tunnel over /v1 with k1.
  RawClient open_tunnel() {
    RawClient client = keygate.connect();
    client.send(upgrade_of("/v1/ws", k1.bearer()));
    EXPECT_EQ(read_up_to(client, "\r\n\r\n"), agreed);
    return client;
  }

  boost::json::object line_of_tunnel() const { return keygate.wait_for_log_of("/v1/ws"); }
};

TEST_F(WebSocket, N11_IsForwardedAndBothDirectionsArePassedOn) {
  RawClient client = open_tunnel();
  for (const std::string& text :
       {std::string("hello"), std::string("GET /admin/x HTTP/1.1\r\n\r\n"), std::string("\0\xff\r\n\r\n", 6)}) {
    client.send(text);
    EXPECT_TRUE(read_up_to(client, text).ends_with(text));
  }
  const std::string all = upstream.bytes();
  const Request seen = *read_request_head(all);
  EXPECT_EQ(seen.target, "/v1/ws");
  EXPECT_EQ(seen.fields["connection"], "Upgrade");
  EXPECT_EQ(seen.fields["upgrade"], "websocket");
  EXPECT_EQ(seen.fields["sec-websocket-key"], "dGhlIHNhbXBsZSBub25jZQ==");
  EXPECT_EQ(seen.fields["sec-websocket-version"], "13");
  EXPECT_EQ(seen.fields["x-org-id"], "org_1");
  EXPECT_FALSE(seen.fields.has("authorization"));
  EXPECT_EQ(all.substr(seen.head_size), "helloGET /admin/x HTTP/1.1\r\n\r\n" + std::string("\0\xff\r\n\r\n", 6));
  client.finish_sending();
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }));
  const auto line = line_of_tunnel();
  EXPECT_EQ(text_of(line, "code"), "ok");
  EXPECT_EQ(text_of(line, "status"), "101");
  EXPECT_EQ(text_of(line, "bytes_in"), "36");
  EXPECT_EQ(text_of(line, "bytes_out"), "36");
}

TEST_F(WebSocket, A13_ScopesAreAskedForBeforeAnythingIsSent) {
  for (const Delivery delivery : {Delivery::whole, Delivery::split}) {
    expect_denied(upgrade_of("/v1/ws"), {401, "missing_credential", Ending::any}, delivery);
    expect_denied(upgrade_of("/v1/ws", kr.bearer()), {401, "revoked_key", Ending::any}, delivery);
    expect_denied(upgrade_of("/admin/ws", k1.bearer()), {403, "insufficient_scope", Ending::any}, delivery);
    expect_denied(upgrade_of("/nowhere", k1.bearer()), {403, "no_route", Ending::any}, delivery);
  }
}

TEST_F(WebSocket, A13_AHandshakeThatIsNoneIsRefused) {
  const std::string asks = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  const std::string version = "Sec-WebSocket-Version: 13\r\n";
  for (const std::string& fields :
       {asks + version, asks + key_line, asks + version + key_line + key_line,
        asks + version + "Sec-WebSocket-Key: c2hvcnQ=\r\n", handshake + "Content-Length: 4\r\n",
        handshake + "Transfer-Encoding: chunked\r\n"}) {
    expect_denied(request_to("/public/ws", fields), {400, "bad_request", Ending::closed});
  }
}

TEST_F(WebSocket, U02_AnotherVersionIs426AndNothingBehindItIsRelayed) {
  const std::string fields = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 9\r\n" + key_line;
  expect_denied(request_to("/public/ws", fields) + request_to("/admin/x"), {426, "upgrade_required", Ending::closed});
  const Response response = ask(request_to("/public/ws", fields));
  EXPECT_EQ(response.fields["sec-websocket-version"], "13");
  EXPECT_EQ(response.fields["upgrade"], "websocket");
}

TEST_F(WebSocket, U03_OnlyAGetOfHttp11CanAskForIt) {
  upstream.follow(answer_ok);
  for (const std::string& request :
       {request_to("/public/ws", handshake, "POST"), request_to("/public/ws", handshake, "HEAD"),
        "GET /public/ws HTTP/1.0\r\nHost: api.local\r\n" + handshake + "\r\n",
        request_to("/public/ws", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" + key_line)}) {
    const Request seen = expect_granted(request);
    EXPECT_FALSE(seen.fields.has("upgrade"));
    EXPECT_FALSE(seen.fields.has("connection"));
  }
}

// The health check of an inner server that answers 101 to anything (websocket-smuggle, scenario 2).
TEST_F(WebSocket, U03_ASwitchThatNobodyAskedForIs502) {
  for (const std::string& request : {request_to("/public/ws", handshake, "POST"), request_to("/public/ws"),
                                     request_to("/public/ws", "Connection: Upgrade\r\nUpgrade: h2c\r\n")}) {
    RawClient client = keygate.connect();
    client.send(request);
    expect_problem(client.read_response(), 502, "upstream_protocol_error");
    EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }));
  }
}

TEST_F(WebSocket, U05_ASwitchOtherThanTheOneOfferedIs502) {
  const std::string first = "HTTP/1.1 101 Switching Protocols\r\n";
  for (const std::string& answer :
       {first + "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        first +
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
        first + "Upgrade: h2c\r\nConnection: Upgrade\r\n" + accept_line + "\r\n",
        first + "Connection: Upgrade\r\n" + accept_line + "\r\n",
        first + "Upgrade: websocket\r\n" + accept_line + "\r\n"}) {
    SCOPED_TRACE(shown(answer));
    upstream.forget();
    upstream.follow([answer](Turn& turn) {
      turn.send(answer + "evil");
      turn.wait_for_end();
    });
    RawClient client = keygate.connect();
    client.send(upgrade_of("/public/ws") + "not to be relayed");
    const Response response = client.read_response();
    expect_problem(response, 502, "upstream_protocol_error");
    EXPECT_EQ(client.received().find("evil"), std::string::npos);
    EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }));
    EXPECT_EQ(upstream.bytes().find("not to be relayed"), std::string::npos);
  }
}

// CVE-2026-2833: the upstream does not switch, and what stands behind the request is a request.
TEST_F(WebSocket, U01_BehindAnUpgradeThatIsRefusedStandsARequest) {
  for (const std::string status : {"200 OK", "403 Forbidden", "426 Upgrade Required"}) {
    SCOPED_TRACE(status);
    upstream.forget();
    upstream.follow([status](Turn& turn) { turn.send("HTTP/1.1 " + status + "\r\nContent-Length: 2\r\n\r\nno"); });
    RawClient client = keygate.connect();
    client.send(upgrade_of("/public/ws") + request_to("/admin/x") + request_to("/public/y"));
    EXPECT_EQ(client.read_response().status, std::stoi(status));
    expect_problem(client.read_response(), 401, "missing_credential");
    EXPECT_EQ(client.read_response().status, std::stoi(status));
    const auto all = upstream.requests();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].target, "/public/ws");
    EXPECT_EQ(all[1].target, "/public/y");
    const auto by_connection = upstream.recorded();
    EXPECT_EQ(std::ranges::count_if(by_connection, [](const std::string& one) { return !one.empty(); }), 2)
        << "a connection that was asked to switch carried another request";
  }
}

TEST_F(WebSocket, U01_NoByteOfTheClientGoesUpBeforeTheUpstreamHasAgreed) {
  upstream.follow([](Turn& turn) {
    turn.hold();
    echo(turn);
  });
  RawClient client = keygate.connect();
  client.send(upgrade_of("/public/ws") + "early");
  EXPECT_TRUE(eventually([&] { return upstream.held() == 1; }));
  client.send(" bird");
  // The same thread of Keygate serves this one afterwards: whatever it was to do with those bytes is done.
  EXPECT_EQ(ask(request_to("/v1/x")).status, 401);
  EXPECT_TRUE(upstream.bytes().ends_with("\r\n\r\n")) << shown(upstream.bytes());
  upstream.release();
  EXPECT_EQ(read_up_to(client, "early bird"), agreed + "early bird");
  EXPECT_TRUE(upstream.bytes().ends_with("\r\n\r\nearly bird"));
}

TEST_F(WebSocket, U06_AKeyInTheQueryDoesNotGoUp) {
  keygate.stop();
  keygate.start({.upstream_port = upstream.port(), .more = "credentials: {sources: [{query: api_key}]}\n"});
  RawClient client = keygate.connect();
  client.send(upgrade_of("/v1/ws?api_key=" + k1.text + "&room=1"));
  EXPECT_EQ(read_up_to(client, "\r\n\r\n"), agreed);
  EXPECT_EQ(read_request_head(upstream.bytes())->target, "/v1/ws?room=1");
}

TEST_F(WebSocket, WhatTheUpstreamSaysBehindItsHeadIsPassedOn) {
  upstream.follow([](Turn& turn) {
    turn.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + agreement + "welcome");
    turn.wait_for_end();
  });
  RawClient client = keygate.connect();
  client.send(upgrade_of("/public/ws"));
  EXPECT_EQ(read_up_to(client, "welcome"), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + agreed + "welcome");
}

TEST_F(WebSocket, F35_TheClientsHalfCloseIsCarriedOver) {
  upstream.follow([](Turn& turn) {
    turn.send(agreement);
    std::string all;
    for (std::string bytes = turn.receive(); !bytes.empty(); bytes = turn.receive()) all += bytes;
    turn.send("you said " + all);
    turn.close();
  });
  RawClient client = open_tunnel();
  client.send("goodbye");
  client.finish_sending();
  EXPECT_EQ(client.read_to_end(), agreed + "you said goodbye");
  EXPECT_EQ(text_of(line_of_tunnel(), "code"), "ok");
}

TEST_F(WebSocket, F35_TheUpstreamsHalfCloseIsCarriedOver) {
  upstream.follow([](Turn& turn) {
    turn.send(agreement + "that is all");
    turn.finish_sending();
    turn.wait_for_end();
  });
  RawClient client = keygate.connect();
  client.send(upgrade_of("/v1/ws", k1.bearer()));
  EXPECT_EQ(client.read_to_end(), agreed + "that is all");
  EXPECT_EQ(upstream.open_connections(), 1U);
  client.send("I have more");
  EXPECT_TRUE(eventually([&] { return upstream.bytes().ends_with("I have more"); }));
  client.finish_sending();
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }));
  EXPECT_EQ(text_of(line_of_tunnel(), "code"), "ok");
}

TEST_F(WebSocket, AClientThatBreaksEndsTheUpstreamsSide) {
  upstream.follow(agree_and_wait);
  RawClient client = open_tunnel();
  client.leave_with_reset();
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }));
  EXPECT_EQ(text_of(line_of_tunnel(), "code"), "client_closed");
}

TEST_F(WebSocket, AnUpstreamThatBreaksEndsTheClientsSide) {
  upstream.follow([](Turn& turn) {
    turn.send(agreement);
    turn.receive();
    turn.close_with_reset();
  });
  RawClient client = open_tunnel();
  client.send("break");
  client.read_to_end();
  EXPECT_EQ(text_of(line_of_tunnel(), "code"), "upstream_truncated");
}

// What one side does not read is not gathered: the other is held back, and what has come arrives whole.
TEST_F(WebSocket, F37_ASideThatDoesNotReadHoldsTheOtherBack) {
  upstream.follow([](Turn& turn) {
    turn.send(agreement);
    turn.hold();
    turn.wait_for_end();
  });
  RawClient client = open_tunnel();
  const std::string much(32U << 20U, 'x');
  std::thread sending([&] {
    client.send(much);
    client.finish_sending();
  });
  EXPECT_TRUE(eventually([&] { return upstream.held() == 1; }));
  // Others are served meanwhile, for longer than it takes to gather it all.
  RawClient other = keygate.connect();
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(other.ask(request_to("/v1/x")).status, 401);
  }
  upstream.release();
  sending.join();
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }));
  const std::string all = upstream.bytes();
  const std::size_t head = all.find("\r\n\r\n") + 4;
  if (!is_sanitized) {
    EXPECT_LT(peak_resident_bytes(keygate.pid()), 24U << 20U);
  }
  EXPECT_TRUE(all.compare(head, std::string::npos, much) == 0) << all.size() - head << " bytes arrived";
  EXPECT_EQ(text_of(line_of_tunnel(), "bytes_in"), std::to_string(much.size()));
}

class TunnelLimits : public WebSocket {
 protected:
  void SetUp() override { upstream.follow(echo); }

  // Says something and hears it, again and again, for so long.
  static void chat(RawClient& client, milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end && client.send("x")) {
      const std::size_t before = client.received().size();
      if (!eventually([&] { return client.unread().size() > 0 && client.received().size() > before; }, seconds(1))) {
        return;
      }
    }
  }
};

TEST_F(TunnelLimits, U06_ATunnelThatStandsStillIsEnded) {
  start({.limits = "tunnel_idle_timeout: 400ms"});
  RawClient client = open_tunnel();
  chat(client, milliseconds(1000));
  EXPECT_TRUE(client.send("still there")) << "one in which something is said lives on";
  read_up_to(client, "still there");
  const auto begin = std::chrono::steady_clock::now();
  client.read_to_end();
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(350));
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }));
  const auto line = line_of_tunnel();
  EXPECT_EQ(text_of(line, "code"), "tunnel_timeout");
  EXPECT_EQ(text_of(line, "status"), "101");
}

TEST_F(TunnelLimits, U06_ATunnelThatIsHalfClosedAndStandsStillIsEnded) {
  start({.limits = "tunnel_idle_timeout: 400ms"});
  upstream.follow([](Turn& turn) {
    turn.send(agreement);
    turn.hold();
  });
  RawClient client = open_tunnel();
  client.finish_sending();
  client.read_to_end();
  EXPECT_EQ(text_of(line_of_tunnel(), "code"), "tunnel_timeout");
  upstream.release();
}

TEST_F(TunnelLimits, U06_ATunnelIsEndedAtItsAgeWhateverIsSaid) {
  start({.limits = "tunnel_max_age: 600ms"});
  const auto begin = std::chrono::steady_clock::now();
  RawClient client = open_tunnel();
  chat(client, seconds(20));
  client.read_to_end();
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(600));
  EXPECT_LE(std::chrono::steady_clock::now() - begin, seconds(5));
  EXPECT_EQ(text_of(line_of_tunnel(), "code"), "tunnel_timeout");
}

TEST_F(TunnelLimits, F62_ADrainWaitsForATunnelAndCutsItWhenItsTimeIsOver) {
  start({.limits = "drain_delay: 0s, drain_timeout: 1s"});
  RawClient client = open_tunnel();
  keygate.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("drain") != std::string::npos; }));
  client.send("not cut yet");
  read_up_to(client, "not cut yet");
  client.read_to_end();
  EXPECT_EQ(keygate.wait_for_end(), (ExitStatus{0, 0}));
  EXPECT_EQ(text_of(line_of_tunnel(), "code"), "draining");
}

TEST_F(TunnelLimits, F62_ADrainEndsWithTheLastTunnel) {
  start({.limits = "drain_delay: 0s, drain_timeout: 60s"});
  RawClient client = open_tunnel();
  keygate.signal(SIGTERM);
  client.send("goodbye");
  read_up_to(client, "goodbye");
  client.finish_sending();
  EXPECT_EQ(keygate.wait_for_end(), (ExitStatus{0, 0}));
  EXPECT_EQ(text_of(line_of_tunnel(), "code"), "ok");
}

// A library that others use, on both sides: fragments, compression, pings, the closing handshake.
TEST(WebSocketClients, TenThousandMessagesComeBackToPython) {
  const std::string script = (source_folder() / "tests/scenario/clients/websocket_echo.py").string();
  const std::string python = "/usr/bin/python3";  // the one whose packages Debian brings
  if (run({.argv = {python, "-c", "import websockets"}}).status.code != 0) {
    GTEST_SKIP() << "python3-websockets is not installed";
  }
  Process server({.argv = {python, "-B", script, "serve"}});
  ASSERT_TRUE(eventually([&] { return server.output().ends_with("\n"); })) << server.errors();
  Keygate keygate;
  const Key key = keygate.create_key();
  keygate.start({.upstream_port = static_cast<std::uint16_t>(std::stoi(server.output()))});
  const Finished client =
      run({.argv = {python, "-B", script, "talk", "ws://127.0.0.1:" + std::to_string(keygate.port())},
           .environment = {"KEYGATE_KEY=" + key.text}},
          seconds(240));
  EXPECT_EQ(client.status, (ExitStatus{0, 0})) << client.errors;
  EXPECT_EQ(client.output, "10000 messages came back\n");
  EXPECT_EQ(keygate.stop(), (ExitStatus{0, 0}));
}

}  // namespace
}  // namespace keygate::test
