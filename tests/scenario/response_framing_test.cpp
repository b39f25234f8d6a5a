// What an upstream may answer (docs/threats.md, M-10, R-11, F-36): one well-formed response, or 502 and a connection
// that is not used again.
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

using std::string;

const string get = request_to("/public/x");

struct Answer {
  const char* name;
  string bytes;
};

void PrintTo(const Answer& answer, std::ostream* out) { *out << answer.name; }

// Says `bytes` and leaves the connection open: what is wrong has to be seen in the bytes.
Script say(const string& bytes) {
  return [bytes](Turn& turn) {
    turn.read_body();
    turn.send(bytes);
  };
}

class RefusedResponse : public Scenario, public testing::WithParamInterface<Answer> {};

TEST_P(RefusedResponse, IsABadGatewayAndTheConnectionIsNotUsedAgain) {
  start_without_keys();
  upstream.follow(say(GetParam().bytes));
  const Response response = ask(get);
  expect_problem(response, 502, "upstream_protocol_error");
  EXPECT_EQ(response.body.find("evil"), string::npos);
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; })) << "the upstream's connection was kept";
  upstream.follow(answer_ok);
  EXPECT_EQ(ask(get).body, "ok");
}

std::vector<Answer> refused() {
  string nine_hints;
  for (int i = 0; i < 9; ++i) {
    nine_hints += "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  }
  return {
      {"Garbage", "evil garbage\r\n\r\n"},
      {"F36_AnotherProtocol", "SSH-2.0-evil\r\n"},
      {"Http09", "<html>evil</html>\r\n\r\n"},
      {"Http20", "HTTP/2.0 200 OK\r\nContent-Length: 4\r\n\r\nevil"},
      {"Status999", "HTTP/1.1 999 Evil\r\nContent-Length: 4\r\n\r\nevil"},
      {"Status099", "HTTP/1.1 099 Evil\r\nContent-Length: 4\r\n\r\nevil"},
      {"StatusThatIsNoNumber", "HTTP/1.1 2x0 OK\r\nContent-Length: 4\r\n\r\nevil"},
      {"StatusOfFourDigits", "HTTP/1.1 2000 OK\r\nContent-Length: 4\r\n\r\nevil"},
      {"UnknownTransferEncoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\nevil"},
      {"ChunkedThenGzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nevil"},
      {"TwoTransferEncodings",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"BothLengths",
       "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n"},
      {"M10_LengthThatIsNoNumber", "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nevil!"},
      {"M10_NegativeLength", "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nevil"},
      {"M10_TwoLengths", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nevil!"},
      {"M10_LengthOf2To64", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\nevil"},
      {"M02_FoldedField", "HTTP/1.1 200 OK\r\nX-A: 1\r\n evil\r\nContent-Length: 4\r\n\r\nevil"},
      {"BlankBeforeColon", "HTTP/1.1 200 OK\r\nContent-Length : 4\r\n\r\nevil"},
      {"NulInField", string("HTTP/1.1 200 OK\r\nX-A: e\0vil\r\nContent-Length: 4\r\n\r\nevil", 55)},
      {"BareCarriageReturnInField", "HTTP/1.1 200 OK\r\nX-A: e\rvil\r\nContent-Length: 4\r\n\r\nevil"},
      {"HeadOf100KiB", "HTTP/1.1 200 OK\r\nX-A: " + string(100 * 1024, 'a') + "\r\nContent-Length: 4\r\n\r\nevil"},
      {"N10_NineInterimResponses", nine_hints + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"},
      {"F38_SwitchNobodyAskedFor",
       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nevil"},
  };
}

string name_of(const testing::TestParamInfo<Answer>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Upstream, RefusedResponse, testing::ValuesIn(refused()), name_of);

class ResponseFraming : public Scenario {
 protected:
  void SetUp() override { start_without_keys(); }
};

TEST_F(ResponseFraming, ALengthIsStrippedFrom204) {
  upstream.follow(say("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nX-A: 1\r\n\r\n"));
  RawClient client = keygate.connect();
  const Response response = client.ask(get);
  EXPECT_EQ(response.status, 204);
  EXPECT_FALSE(response.fields.has("content-length"));
  EXPECT_FALSE(response.fields.has("transfer-encoding"));
  EXPECT_EQ(response.fields["x-a"], "1");
  upstream.follow(answer_ok);
  EXPECT_EQ(client.ask(get).body, "ok");
}

TEST_F(ResponseFraming, ANotModifiedHasNoBodyWhateverItsLengthSays) {
  upstream.follow(say("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\n"));
  RawClient client = keygate.connect();
  EXPECT_EQ(client.ask(get).status, 304);
  upstream.follow(answer_ok);
  EXPECT_EQ(client.ask(get).body, "ok");
}

TEST_F(ResponseFraming, M16_BytesAfterAResponseReachNobody) {
  const std::vector<string> answers{
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nXHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nX\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
      "4\r\n\r\nevil",
      "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
      "HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nevil",
  };
  for (const string& answer : answers) {
    upstream.follow(say(answer));
    RawClient client = keygate.connect();
    const Response first = client.ask(get);
    EXPECT_TRUE(first.body.empty() || first.body == "X") << first.body;
    EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; })) << "the upstream's connection was kept";
    upstream.follow(answer_ok);
    EXPECT_EQ(client.ask(get).body, "ok");
    EXPECT_EQ(client.received().find("evil"), string::npos) << shown(client.received());
  }
}

// The second response comes with the first, or when that has been passed on and the connection lies in the pool.
TEST_F(ResponseFraming, R11_ASecondResponseIsNeverTheNextClientsAnswer) {
  for (int round = 0; round < 300; ++round) {
    const string mark = std::to_string(round);
    std::atomic<bool> is_said{false};
    upstream.follow([&is_said, mark, round](Turn& turn) {
      turn.read_body();
      const string good = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(mark.size()) + "\r\n\r\n" + mark;
      const string evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
      if (round % 2 == 0) {
        turn.send(good + evil);
      } else {
        turn.send(good);
        turn.send(evil);
      }
      is_said = true;
    });
    const Response response = ask(get);
    // What comes only after the next request has been sent could be its answer for all that anybody can tell.
    ASSERT_TRUE(eventually([&] { return is_said.load(); }));
    ASSERT_EQ(response.status, 200) << "round " << round << " fails because of what was said to another";
    ASSERT_EQ(response.body, mark) << "somebody else's answer";
  }
}

TEST_F(ResponseFraming, N10_InterimResponsesGoOnAndThenTheFinalOne) {
  upstream.follow(
      say("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 "
          "OK\r\nContent-Length: 2\r\n\r\nok"));
  RawClient client = keygate.connect();
  for (int i = 0; i < 2; ++i) {
    const Response response = client.ask(get);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "ok");
    ASSERT_EQ(response.interim.size(), 2U);
    EXPECT_EQ(response.interim[0].status, 103);
    EXPECT_EQ(response.interim[0].fields["link"], "</a.css>; rel=preload");
    EXPECT_EQ(response.interim[1].status, 102);
  }
  EXPECT_EQ(upstream.connections(), 1U);
}

TEST_F(ResponseFraming, N10_An10ClientGetsNoInterimResponses) {
  upstream.follow(
      say("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  RawClient client = keygate.connect();
  client.send("GET /public/x HTTP/1.0\r\nHost: api.local\r\n\r\n");
  EXPECT_TRUE(client.read_response().interim.empty());
}

TEST_F(ResponseFraming, M20_ATruncatedBodyNeverLooksComplete) {
  for (const string answer : {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"}) {
    for (const bool by_reset : {false, true}) {
      upstream.follow([answer, by_reset](Turn& turn) {
        turn.read_body();
        turn.send(answer);
        if (by_reset) {
          turn.close_with_reset();
        } else {
          turn.close();
        }
      });
      RawClient client = keygate.connect();
      client.send(get);
      EXPECT_THROW(
          {
            const Response response = client.read_response();
            // A reset may overtake the head; then nothing has been promised yet.
            if (response.status == 502) {
              throw std::runtime_error("refused");
            }
          },
          std::runtime_error)
          << answer;
      EXPECT_TRUE(client.is_ended(std::chrono::seconds(5)) || !client.unread().empty());
    }
  }
  keygate.wait_for_log([](const auto& line) { return text_of(line, "code") == "upstream_truncated"; });
}

TEST_F(ResponseFraming, ABadChunkFromTheUpstreamTruncates) {
  upstream.follow(say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\nevil\r\n0\r\n\r\n"));
  RawClient client = keygate.connect();
  client.send(get);
  const string bytes = client.read_to_end();
  EXPECT_EQ(bytes.find("\r\n0\r\n\r\n"), string::npos) << shown(bytes);
}

TEST_F(ResponseFraming, ABodyUntilTheEndOfTheConnectionIsWhole) {
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.send("HTTP/1.1 200 OK\r\n\r\nall of it");
    turn.close();
  });
  RawClient client = keygate.connect();
  const Response response = client.ask(get);
  EXPECT_EQ(response.body, "all of it");
  EXPECT_TRUE(response.is_chunked || response.ends_with_connection);
}

TEST_F(ResponseFraming, N03_N14_HopByHopFieldsOfTheUpstreamStayBehindAndItsChallengeGoesOn) {
  upstream.follow(
      say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nUpgrade: "
          "h2c\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nX-Kept: 1\r\nWWW-Authenticate: Other "
          "realm=\"x\"\r\n\r\nok"));
  const Response response = ask(get);
  for (const char* name : {"keep-alive", "proxy-authenticate", "upgrade", "x-hop"}) {
    EXPECT_FALSE(response.fields.has(name)) << name;
  }
  EXPECT_EQ(response.fields["x-kept"], "1");
  EXPECT_EQ(response.fields["www-authenticate"], "Other realm=\"x\"");
}

TEST_F(ResponseFraming, M13_TrailersOfAResponseGoToWhoTakesThem) {
  upstream.follow(
      say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Server-Timing\r\n\r\n2\r\nok\r\n0\r\n"
          "Server-Timing: db;dur=5\r\nSet-Cookie: a=b\r\n\r\n"));
  const std::string_view with = "2\r\nok\r\n0\r\nServer-Timing: db;dur=5\r\n\r\n", without = "2\r\nok\r\n0\r\n\r\n";
  RawClient client = keygate.connect();
  for (const auto& [fields, end] : {std::pair{"TE: trailers\r\nConnection: TE\r\n", with}, {"", without}}) {
    const std::size_t before = client.received().size();
    client.send(request_to("/public/x", fields));
    EXPECT_TRUE(eventually([&] {
      client.unread();
      return client.received().substr(before).ends_with(end);
    })) << shown(client.received());
  }
  const std::vector<Request> seen = upstream.requests();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].fields["te"], "trailers");
  EXPECT_FALSE(seen[1].fields.has("te"));
}

TEST_F(ResponseFraming, N08_AHeadThatIsAnsweredWithABodyGivesNoBody) {
  upstream.follow(say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"));
  RawClient client = keygate.connect();
  const Response response = client.ask(request_to("/public/x", "", "HEAD"), AnswerTo::head);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.fields["content-length"], "4");
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; })) << "the upstream's connection was kept";
  upstream.follow(answer_ok);
  EXPECT_EQ(client.ask(get).body, "ok");
}

TEST_F(ResponseFraming, ABodyThatComesInPiecesIsPassedOnAtOnce) {
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n7\r\ndata: 1\r\n");
    turn.hold();
    turn.send("7\r\ndata: 2\r\n0\r\n\r\n");
  });
  RawClient client = keygate.connect();
  client.send(get);
  EXPECT_TRUE(eventually([&] { return client.unread().find("data: 1") != string::npos; })) << shown(client.unread());
  EXPECT_EQ(client.unread().find("data: 2"), string::npos);
  upstream.release();
  EXPECT_EQ(client.read_response().body, "data: 1data: 2");
}

}  // namespace
}  // namespace keygate::test
