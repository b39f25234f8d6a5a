// Where one message ends and the next begins, in the corners: bodies that are read past their end, answers that come
// before the request is over, bodies that end with the connection (docs/threats.md, R-09, M-09, M-15).
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keygate::test {
namespace {

using std::string;

const string smuggled = "GET /public/smuggled HTTP/1.1\r\nHost: api.local\r\n\r\n";

class Desync : public Scenario {};

// The upstream takes the whole of /public/die and leaves without a word; what stood behind that body in the same packet
// is the head of the next request, and what the client sends then is the body of it.
TEST_F(Desync, R09_WhatStandsBehindABodyIsTheNextRequestAlsoAfterABadGateway) {
  start_without_keys();
  upstream.follow([](Turn& turn) {
    turn.read_body();
    if (turn.request().target == "/public/die") {
      turn.close();
    } else {
      turn.answer(200, turn.request().target);
    }
  });
  RawClient client(keygate.port());
  client.send(request_to("/public/die", "Transfer-Encoding: chunked\r\n", "POST"));
  ASSERT_TRUE(eventually([&] { return upstream.has_partial_request(); })) << "the head goes up before its body";
  client.send("3\r\nabc\r\n0\r\n\r\n" +
              request_to("/public/second", "Content-Length: " + std::to_string(smuggled.size()) + "\r\n", "POST"));
  EXPECT_EQ(client.read_response().status, 502);
  client.send(smuggled);
  const Response second = client.read_response();
  EXPECT_EQ(second.body, "/public/second");
  for (const Request& request : upstream.requests()) {
    EXPECT_NE(request.target, "/public/smuggled") << "a body was read as a request";
  }
}

TEST_F(Desync, R09_WhatStandsBehindABodyIsTheNextRequest) {
  start_without_keys();
  RawClient client(keygate.port());
  client.send(request_to("/public/first", "Transfer-Encoding: chunked\r\n", "POST"));
  ASSERT_TRUE(eventually([&] { return upstream.has_partial_request(); })) << "the head goes up before its body";
  client.send("3\r\nabc\r\n0\r\n\r\n" + request_to("/public/second"));
  EXPECT_EQ(client.read_response().status, 200);
  EXPECT_EQ(client.read_response().status, 200);
  ASSERT_EQ(upstream.requests().size(), 2U);
  EXPECT_EQ(upstream.requests()[1].target, "/public/second");
}

// The upstream answers while it takes nothing: the upload can never be whole, so the connection ends, whatever stands
// behind.
TEST_F(Desync, M15_AnAnswerBeforeTheBodyWasTakenEndsTheConnection) {
  start_without_keys();
  upstream.follow([](Turn& turn) {
    turn.answer(413, "no");
    turn.hold();
  });
  RawClient client(keygate.port());
  client.send(request_to("/public/large", "Content-Length: 50000000\r\n", "POST") + string(100'000, 'x'));
  EXPECT_EQ(client.read_response().status, 413);
  client.send(smuggled);
  client.read_to_end();
  EXPECT_EQ(upstream.bytes().find("/public/smuggled"), string::npos) << "a body was read as a request";
}

TEST_F(Desync, M09_A10ClientGetsABodyThatEndsWithTheConnectionAsItIs) {
  start_without_keys();
  upstream.follow([](Turn& turn) {
    turn.send("HTTP/1.1 200 OK\r\n\r\nabcdef");
    turn.close();
  });
  RawClient client(keygate.port());
  client.send("GET /public/x HTTP/1.0\r\nHost: api.local\r\n\r\n");
  const string all = client.read_to_end();
  EXPECT_TRUE(all.ends_with("\r\n\r\nabcdef")) << shown(all);
}

TEST_F(Desync, A11ClientGetsABodyThatEndsWithTheConnectionInChunks) {
  start_without_keys();
  upstream.follow([](Turn& turn) {
    turn.send("HTTP/1.1 200 OK\r\n\r\nabcdef");
    turn.close();
  });
  const Response response = ask(request_to("/public/x"));
  EXPECT_EQ(response.body, "abcdef");
}

TEST_F(Desync, M04_AnAsteriskWithABadHostIsRefused) {
  start_without_keys();
  EXPECT_EQ(ask("OPTIONS * HTTP/1.1\r\nHost: @@ bad\r\n\r\n").status, 400);
}

}  // namespace
}  // namespace keygate::test
