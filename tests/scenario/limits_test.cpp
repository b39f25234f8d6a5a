// Each limit on the wire (docs/limits.md): what is just at it passes, what is just beyond gets the answer that is
// promised, with not a byte at the upstream.
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <sys/socket.h>

namespace keygate::test {
namespace {

using std::string;

struct Edge {
  string name;
  string at;    // granted
  string over;  // denied so:
  Denial denial;
  string limits{};  // of the configuration
};

class HeadLimit : public Scenario, public testing::WithParamInterface<Edge> {};

TEST_P(HeadLimit, IsExact) {
  const Edge& edge = GetParam();
  start_without_keys({.limits = edge.limits});
  for (const Delivery delivery : {Delivery::whole, Delivery::split, Delivery::pipelined}) {
    expect_denied(edge.over, edge.denial, delivery);
  }
  expect_granted(edge.at);
}

string fields(std::size_t count) {
  string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += "X-" + std::to_string(i) + ": v\r\n";
  }
  return text;
}

// Of `size` bytes in all.
string head_of(std::size_t size) {
  string padding;
  const std::size_t rest = size - request_to("/public/x").size();
  for (std::size_t left = rest; left > 0;) {
    const std::size_t line = left > 8000 + 16 ? 8000 : left;
    padding += "X-Pad: " + string(line - 9, 'p') + "\r\n";
    left -= line;
  }
  return request_to("/public/x", padding);
}

string target_of(std::size_t size) { return "/public/x?" + string(size - 10, 'q'); }

string options(std::size_t count) {
  string list = "close";
  for (std::size_t i = 1; i < count; ++i) {
    list += ", x-" + std::to_string(i);
  }
  return "Connection: " + list + "\r\n";
}

string repeated(const string& text, std::size_t times) {
  string all;
  for (std::size_t i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

string own_via(std::size_t times) { return repeated("Via: 1.1 keygate\r\n", times); }

std::vector<Edge> head_edges() {
  const Denial too_large{431, "header_too_large", Ending::closed};
  const Denial bad{400, "bad_request", Ending::closed};
  const auto line = [](std::size_t size) { return request_to("/public/x", "X: " + string(size - 3, 'v') + "\r\n"); };
  const auto name = [](std::size_t size) { return request_to("/public/x", string(size, 'n') + ": v\r\n"); };
  const auto path = [](std::size_t segments) { return request_to("/public" + repeated("/s", segments - 1)); };
  return {
      {"D03_HeadBytes", head_of(32 * 1024), head_of(32 * 1024 + 1), too_large},
      {"D03_HeadBytesSet", head_of(4 * 1024), head_of(4 * 1024 + 1), too_large, "header_bytes: 4KiB"},
      {"D03_FieldLine", line(8 * 1024), line(8 * 1024 + 1), too_large},
      {"D03_FieldName", name(256), name(257), too_large},
      {"D03_FieldCount", request_to("/public/x", fields(99)), request_to("/public/x", fields(100)), too_large},
      {"D03_FieldCountSet", request_to("/public/x", fields(2)), request_to("/public/x", fields(3)), too_large,
       "header_count: 3"},
      {"D04_ConnectionOptions", request_to("/public/x", options(32)), request_to("/public/x", options(33)), bad},
      {"M07_Target",
       request_to(target_of(8 * 1024)),
       request_to(target_of(8 * 1024 + 1)),
       {414, "target_too_long", Ending::closed}},
      {"M07_TargetSet",
       request_to(target_of(64)),
       request_to(target_of(65)),
       {414, "target_too_long", Ending::closed},
       "target_bytes: 64"},
      {"P_Segments", path(64), path(65), {400, "ambiguous_path", Ending::closed}},
      {"M_LeadingBlankLines", "\r\n\r\n" + request_to("/public/x"), "\r\n\r\n\r\n" + request_to("/public/x"), bad},
      {"N04_TimesThroughThisProxy",
       request_to("/public/x", own_via(9)),
       request_to("/public/x", own_via(10)),
       {508, "loop_detected", Ending::closed}},
  };
}

INSTANTIATE_TEST_SUITE_P(Table, HeadLimit, testing::ValuesIn(head_edges()),
                         [](const auto& edge) { return edge.param.name; });

class BodyLimit : public Scenario {
 protected:
  void expect_chunks_granted(const string& chunks) { expect_granted(chunked(chunks)); }
  void expect_chunks_refused(const string& chunks) {
    SCOPED_TRACE(shown(chunks));
    upstream.forget();
    RawClient client = keygate.connect();
    client.send(chunked(chunks));
    expect_problem(client.read_response(), 400, "bad_request");
    EXPECT_TRUE(client.is_ended(std::chrono::seconds(5)));
    EXPECT_TRUE(upstream.requests().empty()) << "a complete request at the upstream";
  }
  static string chunked(const string& chunks) {
    return request_to("/public/x", "Transfer-Encoding: chunked\r\n", "POST") + chunks;
  }
};

TEST_F(BodyLimit, M_ChunkLinesExtensionsAndTrailersAreLimited) {
  start_without_keys();
  const auto line = [](std::size_t size) { return "1;" + string(size - 2, 'e') + "\r\nx\r\n"; };
  const auto trailers = [](std::size_t count, const string& field) {
    return "1\r\nx\r\n0\r\n" + repeated(field, count) + "\r\n";
  };
  expect_chunks_granted(line(256 - 2) + "0\r\n\r\n");
  expect_chunks_refused(line(256 - 1) + "0\r\n\r\n");
  expect_chunks_granted(repeated(line(200), 20) + "0\r\n\r\n");
  expect_chunks_refused(repeated(line(200), 21) + "0\r\n\r\n");
  expect_chunks_granted(trailers(16, "X: t\r\n"));
  expect_chunks_refused(trailers(17, "X: t\r\n"));
  expect_chunks_granted(trailers(10, "X: " + string(390, 't') + "\r\n"));
  expect_chunks_refused(trailers(11, "X: " + string(390, 't') + "\r\n"));
}

TEST_F(BodyLimit, ABodyOfUnknownLengthIsCountedAsItComes) {
  start_without_keys({.limits = "body_bytes: 8KiB"});
  const string chunk = "1000\r\n" + string(4096, 'x') + "\r\n";
  EXPECT_EQ(expect_granted(chunked(chunk + chunk + "0\r\n\r\n")).body.size(), 8U * 1024);
  upstream.forget();
  RawClient client = keygate.connect();
  client.send(chunked(chunk + chunk + "1\r\nx\r\n0\r\n\r\n"));
  expect_problem(client.read_response(), 413, "body_too_large");
  EXPECT_TRUE(client.is_ended(std::chrono::seconds(5)));
  EXPECT_TRUE(upstream.requests().empty());
}

TEST_F(BodyLimit, D02_ABodyThatDripsIsCutOff) {
  start_without_keys({.limits = "body_min_rate: 1MiB, body_idle_timeout: 500ms"});
  RawClient client = keygate.connect();
  client.send(request_to("/public/x", "Content-Length: 100000000\r\n", "POST"));
  // A byte now and then does not buy time, although none is waited for as long as body_idle_timeout.
  EXPECT_TRUE(eventually([&] {
    client.send("x");
    return !client.unread().empty();
  }));
  expect_problem(client.read_response(), 408, "request_timeout");
  EXPECT_TRUE(client.is_ended(std::chrono::seconds(5)));
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }));
  EXPECT_TRUE(upstream.requests().empty());
}

TEST_F(BodyLimit, D02_ABodyThatIsFastEnoughIsNotCutOff) {
  start_without_keys({.limits = "body_min_rate: 10KiB, body_idle_timeout: 1s"});
  RawClient client = keygate.connect();
  constexpr std::size_t pieces = 250;
  client.send(request_to("/public/x", "Content-Length: " + std::to_string(pieces * 1000) + "\r\n", "POST"));
  const auto begin = std::chrono::steady_clock::now();
  std::size_t sent = 0;
  EXPECT_TRUE(eventually([&] {  // over two seconds and a half, some 100,000 bytes a second
    const auto due =
        static_cast<std::size_t>((std::chrono::steady_clock::now() - begin) / std::chrono::milliseconds(10));
    for (; sent < std::min(due, pieces); ++sent) {
      client.send(string(1000, 'x'));
    }
    return sent == pieces;
  }));
  EXPECT_EQ(client.read_response().status, 200);
  EXPECT_EQ(upstream.only_request().body.size(), pieces * 1000);
}

TEST_F(BodyLimit, D02_ABodyThatTakesTooLongInAllIsCutOff) {
  start_without_keys({.limits = "request_timeout: 500ms, body_min_rate: 0"});
  RawClient client = keygate.connect();
  client.send(request_to("/public/x", "Transfer-Encoding: chunked\r\n", "POST"));
  EXPECT_TRUE(eventually([&] {
    client.send("1\r\nx\r\n");
    return !client.unread().empty();
  }));
  expect_problem(client.read_response(), 408, "request_timeout");
  EXPECT_TRUE(client.is_ended(std::chrono::seconds(5)));
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }));
  EXPECT_TRUE(upstream.requests().empty());
}

TEST_F(BodyLimit, AnAnswerThatTakesLongIsNotTheRequestsTime) {
  start_without_keys({.limits = "request_timeout: 200ms"});
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 10\r\n\r\nfirst");
    turn.hold();
    turn.send("later");
  });
  RawClient client = keygate.connect();
  client.send(request_with_body("/public/x", "hello"));
  EXPECT_TRUE(eventually([&] { return client.unread().ends_with("first"); }));
  EXPECT_FALSE(eventually([&] { return !client.unread().ends_with("first"); }, std::chrono::milliseconds(600)));
  upstream.release();
  EXPECT_EQ(client.read_response().body, "firstlater");
}

TEST_F(BodyLimit, D02_AClientThatTakesNothingOfItsAnswerIsCutOff) {
  start_without_keys({.limits = "body_idle_timeout: 500ms"});
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.send("HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n");
    const string block(1'000'000, 'x');
    for (int i = 0; i < 200; ++i) {
      turn.send(block);
    }
  });
  RawClient client = keygate.connect();
  client.send(request_to("/public/x"));
  EXPECT_TRUE(eventually([&] { return upstream.connections() == 1; }));
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; })) << "the upstream is held for ever";
  EXPECT_TRUE(eventually([&] { return keygate.output().find("client_closed") != string::npos; })) << keygate.output();
}

class UpstreamLimit : public Scenario {
 protected:
  // The status of the answer to `head`, which the upstream sends with a body of two bytes.
  int status_of(const string& head) {
    upstream.follow([head](Turn& turn) {
      turn.read_body();
      turn.send(head + "ok");
    });
    const Response response = ask(request_to("/public/x"));
    if (response.status != 200) {
      expect_problem(response, 502, "upstream_protocol_error");
    }
    return response.status;
  }
  static string answer(const string& more) { return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + more + "\r\n"; }
};

TEST_F(UpstreamLimit, F36_TheHeadOfAnAnswerIsLimitedExactly) {
  start_without_keys();
  const auto of_size = [](std::size_t size) {
    string padding;
    for (std::size_t left = size - answer("").size(); left > 0;) {
      const std::size_t line = left > 8000 + 16 ? 8000 : left;
      padding += "X-Pad: " + string(line - 9, 'p') + "\r\n";
      left -= line;
    }
    return answer(padding);
  };
  EXPECT_EQ(status_of(of_size(64 * 1024)), 200);
  EXPECT_EQ(status_of(of_size(64 * 1024 + 1)), 502);
  EXPECT_EQ(status_of(answer(fields(199))), 200);
  EXPECT_EQ(status_of(answer(fields(200))), 502);
}

TEST_F(UpstreamLimit, N10_EightInterimAnswersGoOn) {
  start_without_keys();
  const string hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  EXPECT_EQ(status_of(repeated(hint, 8) + answer("")), 200);
  EXPECT_EQ(status_of(repeated(hint, 9) + answer("")), 502);
}

// A listener whose queue is full answers nothing at all.
TEST_F(UpstreamLimit, F30_AConnectThatIsNotAnsweredIsGivenUp) {
  const Listening full = listen_on_loopback();
  ASSERT_EQ(::listen(full.socket.fd(), 0), 0);
  const Socket waiting = connect_to(full.port);
  start_without_keys({.upstreams = "{default: {endpoints: [\"http://127.0.0.1:" + std::to_string(full.port) +
                                   "\"], timeouts: {connect: 300ms}, retries: {attempts: 0}}}"});
  const auto begin = std::chrono::steady_clock::now();
  const Response response = ask(request_to("/public/x"));
  expect_problem(response, 502, "upstream_unreachable");
  EXPECT_NE(response.fields["proxy-status"].find("connection_timeout"), string::npos)
      << response.fields["proxy-status"];
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(250));
  EXPECT_LE(std::chrono::steady_clock::now() - begin, std::chrono::seconds(is_sanitized ? 5 : 2));
}

class ConnectionLimit : public Scenario {
 protected:
  // A client that holds its place.
  std::unique_ptr<RawClient> enter() {
    auto client = std::make_unique<RawClient>(keygate.port());
    EXPECT_EQ(client->ask(request_to("/public/x")).status, 200);
    return client;
  }
  void expect_turned_away() {
    RawClient client = keygate.connect();
    client.send(request_to("/public/one-too-many"));
    const Response response = client.read_response();
    expect_problem(response, 503, "overloaded");
    EXPECT_TRUE(response.fields.lists("connection", "close"));
    EXPECT_TRUE(client.is_ended(std::chrono::seconds(5)));
    EXPECT_EQ(upstream.bytes().find("one-too-many"), string::npos);
  }
};

TEST_F(ConnectionLimit, D06_OneTooManyHears503AndIsClosed) {
  start_without_keys({.limits = "connections: 3"});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(enter());
  }
  for (int i = 0; i < 3; ++i) {
    expect_turned_away();
  }
  EXPECT_EQ(clients.front()->ask(request_to("/public/x")).status, 200) << "who is inside is not turned out";
}

TEST_F(ConnectionLimit, D06_OneAddressHasSoManyOverAllWorkers) {
  start_without_keys({.limits = "connections_per_ip: 3", .threads = 2});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(enter());
  }
  for (int i = 0; i < 8; ++i) {  // whichever worker they come to
    expect_turned_away();
  }
  EXPECT_NE(keygate.errors().find("connections_per_ip reached by 127.0.0.1"), string::npos) << keygate.errors();
  clients.pop_back();
  EXPECT_TRUE(eventually([&] {
    try {
      return ask(request_to("/public/x")).status == 200;
    } catch (const std::exception&) {
      return false;
    }
  })) << "a place that has become free is not given away";
}

TEST_F(ConnectionLimit, D06_ATrustedProxySpeaksForMany) {
  start_without_keys({.limits = "connections_per_ip: 1", .more = "trusted_proxies: [127.0.0.1]\n"});
  const auto first = enter();
  const auto second = enter();
  EXPECT_EQ(first->ask(request_to("/public/x")).status, 200);
}

TEST_F(ConnectionLimit, D06_BehindAPROXYHeaderTheClientsAddressCounts) {
  const std::uint16_t port = free_port();
  start_without_keys({.limits = "connections_per_ip: 1",
                      .more = "trusted_proxies: [127.0.0.1]\nlisteners: [{address: \"127.0.0.1:" +
                              std::to_string(port) + "\", proxy_protocol: true}]\n"});
  const auto ask_as = [&](RawClient& client, const string& address) {
    client.send("PROXY TCP4 " + address + " 127.0.0.1 1 2\r\n" + request_to("/public/x"));
    return client.read_response().status;
  };
  RawClient first(port), second(port), other(port);
  EXPECT_EQ(ask_as(first, "192.0.2.1"), 200);
  EXPECT_EQ(ask_as(second, "192.0.2.1"), 503);
  EXPECT_EQ(ask_as(other, "192.0.2.2"), 200);
}

TEST_F(ConnectionLimit, ThatManyRequestsThenTheConnectionIsClosed) {
  start_without_keys({.limits = "requests_per_connection: 3"});
  RawClient client = keygate.connect();
  for (int i = 1; i <= 3; ++i) {
    const Response response = client.ask(request_to("/public/x"));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.fields.lists("connection", "close"), i == 3) << i;
  }
  EXPECT_TRUE(client.is_ended(std::chrono::seconds(5)));
}

}  // namespace
}  // namespace keygate::test
