// How the bytes move: a real client, a real upstream, bodies of any size, and every way in which one side leaves early.
#include "tests/support/curl.hpp"
#include "tests/support/nginx.hpp"
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace keygate::test {
namespace {

class WithNginx : public testing::Test {
 protected:
  void SetUp() override {
    key = keygate.create_key();
    keygate.start({.upstream_port = nginx.port()});
  }

  void TearDown() override {
    keygate.stop();
    EXPECT_FALSE(keygate.is_key_in(keygate.output() + keygate.errors()));
  }

  CurlResult call(std::string_view target, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.end(), {"-H", "Authorization: Bearer " + key.text, keygate.url(target)});
    return curl(arguments);
  }

  // What a transfer may cost, whatever its size.
  void expect_bounded_memory(std::size_t before) {
    if (!is_sanitized) {
      EXPECT_LT(peak_resident_bytes(keygate.pid()), before + 8 * 1024 * 1024) << "it was at " << before;
    }
  }

  Nginx nginx;
  Keygate keygate;
  Key key;
};

constexpr std::size_t large = 100'000'000;

TEST_F(WithNginx, AGrantedRequestArrivesWithItsIdentityAndWithoutItsKey) {
  const CurlResult result = call("/v1/echo?a=1", {"-H", "X-Org-Id: evil"});
  EXPECT_EQ(result.status, 200) << result.errors;
  for (const std::string& line :
       {std::string("method=GET\n"), std::string("target=/v1/echo?a=1\n"), std::string("protocol=HTTP/1.1\n"),
        std::string("org=org_1\n"), "key=" + key.id + "\n", std::string("scopes=v1:read\n"),
        std::string("auth=api_key\n"), std::string("authorization=\n"), std::string("api_key=\n"),
        "host=127.0.0.1:" + std::to_string(keygate.port()) + "\n"}) {
    EXPECT_NE(result.body.find(line), std::string::npos) << line << "in\n" << result.body;
  }
}

TEST_F(WithNginx, ADeniedRequestIsAProblem) {
  const CurlResult result = curl({keygate.url("/v1/echo")});
  EXPECT_EQ(result.status, 401) << result.errors;
  EXPECT_EQ(result.fields["content-type"], "application/problem+json");
  EXPECT_NE(result.body.find("\"missing_credential\""), std::string::npos) << result.body;
  EXPECT_EQ(curl({keygate.url("/public/echo")}).status, 200);
}

TEST_F(WithNginx, ALargeDownloadIsWholeAndCostsNoMemory) {
  const std::string digest = write_pattern(nginx.file("large"), large);
  EXPECT_EQ(call("/v1/echo").status, 200);
  const std::size_t before = resident_bytes(keygate.pid());
  forget_peak(keygate.pid());
  const TempDir directory;
  const CurlResult result = call("/v1/files/large", {"-o", directory / "got"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.fields["content-length"], std::to_string(large));
  EXPECT_EQ(sha256_of_file(directory / "got"), digest);
  expect_bounded_memory(before);
}

TEST_F(WithNginx, ALargeUploadIsWholeAndCostsNoMemory) {
  const TempDir directory;
  const std::string digest = write_pattern(directory / "large", large);
  EXPECT_EQ(call("/v1/echo").status, 200);
  const std::size_t before = resident_bytes(keygate.pid());
  forget_peak(keygate.pid());
  const CurlResult result = call("/v1/store/large", {"-T", directory / "large"});
  EXPECT_EQ(result.status, 201) << result.errors << nginx.error_log();
  EXPECT_EQ(sha256_of_file(nginx.stored("large")), digest);
  expect_bounded_memory(before);
}

TEST_F(WithNginx, ChunkedBodiesGoBothWays) {
  const TempDir directory;
  const std::string digest = write_pattern(directory / "some", 5'000'000);
  // From standard input curl knows no length.
  const CurlResult up =
      curl({"-X", "PUT", "-H", "Transfer-Encoding: chunked", "-H", "Expect:", "-H", "Authorization: Bearer " + key.text,
            "--data-binary", "@" + (directory / "some"), keygate.url("/v1/store/some")});
  EXPECT_EQ(up.status, 201) << up.errors << nginx.error_log();
  EXPECT_EQ(sha256_of_file(nginx.stored("some")), digest);

  std::filesystem::copy_file(nginx.stored("some"), nginx.file("some"));
  const CurlResult down = call("/v1/chunked/some", {"-o", directory / "got"});
  EXPECT_EQ(down.status, 200) << down.errors;
  EXPECT_TRUE(down.fields.lists("transfer-encoding", "chunked"));
  EXPECT_EQ(sha256_of_file(directory / "got"), digest);
}

TEST_F(WithNginx, HeadNoContentAndNotModifiedHaveNoBody) {
  write_pattern(nginx.file("some"), 5000);
  const std::string fields = "Authorization: Bearer " + key.text + "\r\n";
  RawClient client = keygate.connect();
  const Response head = client.ask(request_to("/v1/files/some", fields, "HEAD"), AnswerTo::head);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.fields["content-length"], "5000");
  EXPECT_EQ(client.ask(request_to("/v1/empty", fields)).status, 204);
  const std::string tag = head.fields["etag"];
  const Response unchanged = client.ask(request_to("/v1/files/some", fields + "If-None-Match: " + tag + "\r\n"));
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.fields["etag"], tag);
  EXPECT_EQ(client.ask(request_to("/v1/files/some", fields)).body.size(), 5000U);
  EXPECT_EQ(client.unread(), "");
}

TEST_F(WithNginx, RangesAreTheUpstreamsBusiness) {
  write_pattern(nginx.file("some"), 5000);
  const CurlResult result = call("/v1/files/some", {"-r", "100-199"});
  EXPECT_EQ(result.status, 206);
  EXPECT_EQ(result.body, read_file(nginx.file("some")).substr(100, 100));
}

TEST_F(WithNginx, CurlKeepsItsConnection) {
  const CurlResult result =
      call("/v1/echo", {"-H", "X-A: 1", keygate.url("/public/echo"), "-w", "connects=%{num_connects}\n"});
  EXPECT_EQ(result.status, 200) << result.errors;
  EXPECT_NE(result.body.find("connects=1\n"), std::string::npos) << result.body;
  EXPECT_NE(result.body.find("connects=0\n"), std::string::npos) << result.body;
}

TEST_F(WithNginx, CurlOf10IsAnswered) {
  const CurlResult result = call("/v1/echo", {"--http1.0"});
  EXPECT_EQ(result.status, 200) << result.errors;
  EXPECT_NE(result.body.find("protocol=HTTP/1.1\n"), std::string::npos) << result.body;
}

class Proxying : public Scenario {
 protected:
  void SetUp() override { start(); }
};

TEST_F(Proxying, N09_ContinueIsSaidOnceForAGoodKey) {
  RawClient client = keygate.connect();
  client.send(request_to("/v1/x", "Content-Length: 5\r\nExpect: 100-continue\r\n" + k1.bearer(), "POST"));
  EXPECT_TRUE(eventually([&] { return client.unread().starts_with("HTTP/1.1 100 "); })) << shown(client.unread());
  client.send("hello");
  const Response response = client.read_response();
  EXPECT_EQ(response.status, 200);
  ASSERT_EQ(response.interim.size(), 1U);
  EXPECT_EQ(response.interim[0].status, 100);
  EXPECT_EQ(upstream.only_request().body, "hello");
  EXPECT_EQ(client.ask(request_to("/v1/x", k1.bearer())).status, 200);
}

TEST_F(Proxying, N09_ADenialIsSaidInsteadOfContinue) {
  RawClient client = keygate.connect();
  client.send(request_to("/v1/x", "Content-Length: 1000000000\r\nExpect: 100-continue\r\n", "POST"));
  const Response response = client.read_response();
  expect_problem(response, 401, "missing_credential");
  EXPECT_TRUE(response.interim.empty());
  EXPECT_EQ(upstream.bytes(), "");
}

TEST_F(Proxying, R12_AnUpstreamThatRefusesInsteadOfContinueIsBelieved) {
  upstream.follow([](Turn& turn) {
    turn.answer(417, "no");
    turn.wait_for_end();
  });
  {
    RawClient client = keygate.connect();
    client.send(request_to("/v1/x", "Content-Length: 5\r\nExpect: 100-continue\r\n" + k1.bearer(), "POST"));
    const Response response = client.read_response();
    EXPECT_EQ(response.status, 417);
    EXPECT_EQ(response.body, "no");
  }
  upstream.follow(answer_ok);
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_GE(upstream.connections(), 2U) << "a connection with a body still to come was used again";
}

TEST_F(Proxying, AContinueNobodyAskedForIsNotSaid) {
  RawClient client = keygate.connect();
  const Response response = client.ask(request_with_body("/v1/x", "hello", k1.bearer()));
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.interim.empty());
}

TEST_F(Proxying, M17_PipelinedRequestsAreAnsweredInOrder) {
  upstream.follow([](Turn& turn) {
    turn.read_body();
    if (turn.request().target == "/v1/0") {
      turn.hold();
    }
    turn.answer(200, turn.request().target);
  });
  RawClient client = keygate.connect();
  std::string all;
  for (int i = 0; i < 10; ++i) {
    all += i % 3 == 2 ? request_to("/admin/x", k1.bearer()) : request_to("/v1/" + std::to_string(i), k1.bearer());
  }
  client.send(all);
  EXPECT_TRUE(eventually([&] { return upstream.held() == 1; }));
  EXPECT_EQ(client.unread(), "");
  upstream.release();
  for (int i = 0; i < 10; ++i) {
    const Response response = client.read_response();
    if (i % 3 == 2) {
      EXPECT_EQ(response.status, 403);
    } else {
      EXPECT_EQ(response.body, "/v1/" + std::to_string(i));
    }
  }
}

TEST_F(Proxying, ConnectionsAreKeptOnBothSides) {
  RawClient client = keygate.connect();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client.ask(request_with_body("/v1/x", "hello", k1.bearer())).status, 200);
  }
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_EQ(upstream.connections(), 1U);
  EXPECT_EQ(upstream.requests().size(), 6U);
}

TEST_F(Proxying, M14_UpstreamsGet11AndOneFraming) {
  const Request chunked = expect_granted(request_to("/v1/x", "Transfer-Encoding: chunked\r\n" + k1.bearer(), "POST") +
                                         "5\r\nhello\r\n0\r\n\r\n");
  EXPECT_TRUE(chunked.is_chunked);
  EXPECT_EQ(chunked.body, "hello");
  const Request counted = expect_granted(request_with_body("/v1/x", "hello", k1.bearer()));
  EXPECT_EQ(counted.fields["content-length"], "5");
  EXPECT_EQ(counted.body, "hello");
  const Request none = expect_granted(request_to("/v1/x", k1.bearer()));
  EXPECT_FALSE(none.fields.has("content-length"));
  EXPECT_FALSE(none.fields.has("transfer-encoding"));
  const Request old =
      expect_granted("POST /v1/x HTTP/1.0\r\nHost: api.local\r\nContent-Length: 5\r\n" + k1.bearer() + "\r\nhello");
  EXPECT_EQ(old.version, "HTTP/1.1");
  EXPECT_EQ(old.body, "hello");
}

TEST_F(Proxying, M19_A10ClientGetsOneAnswerItCanRead) {
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  });
  for (const std::string fields : {"", "Connection: keep-alive\r\n"}) {
    RawClient client = keygate.connect();
    client.send("GET /v1/x HTTP/1.0\r\nHost: api.local\r\n" + fields + k1.bearer() + "\r\n");
    const Response response = client.read_response();
    EXPECT_EQ(response.status, 200);
    EXPECT_FALSE(response.fields.has("transfer-encoding"));
    EXPECT_EQ(response.body, "hello");
    EXPECT_TRUE(client.is_ended(std::chrono::seconds(5)));
  }
}

TEST_F(Proxying, F44_AClientThatLeavesCancelsItsUpstreamRequest) {
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.wait_for_end();
  });
  enum class Way { fin, close, reset };
  for (const Way way : {Way::fin, Way::close, Way::reset}) {
    RawClient client = keygate.connect();
    client.send(request_to("/v1/x", k1.bearer()));
    EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 1 && !upstream.requests().empty(); }));
    if (way == Way::fin) {
      client.finish_sending();
    } else if (way == Way::close) {
      client.leave();
    } else {
      client.leave_with_reset();
    }
    EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }, std::chrono::seconds(5)))
        << "the upstream's request goes on";
    upstream.forget();
  }
}

TEST_F(Proxying, F44_AClientThatLeavesInTheMiddleOfAnUploadBreaksItOff) {
  RawClient client = keygate.connect();
  client.send(request_to("/v1/x", "Transfer-Encoding: chunked\r\n" + k1.bearer(), "POST") + "5\r\nhello\r\n");
  EXPECT_TRUE(eventually([&] { return upstream.bytes().find("hello") != std::string::npos; }));
  client.leave_with_reset();
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }, std::chrono::seconds(5)));
  EXPECT_TRUE(upstream.requests().empty());
}

TEST_F(Proxying, F44_AClientThatLeavesInTheMiddleOfADownloadBreaksItOff) {
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nbegun");
    turn.wait_for_end();
  });
  RawClient client = keygate.connect();
  client.send(request_to("/v1/x", k1.bearer()));
  EXPECT_TRUE(eventually([&] { return client.unread().find("begun") != std::string::npos; }));
  client.leave_with_reset();
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }, std::chrono::seconds(5)));
}

TEST_F(Proxying, F37_ASlowReaderHoldsTheUpstreamBackAndCostsNoMemory) {
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.send("HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n");
    const std::string block(1'000'000, 'x');
    for (int i = 0; i < 200; ++i) {
      turn.send(block);
    }
  });
  const std::size_t before = resident_bytes(keygate.pid());
  forget_peak(keygate.pid());
  RawClient client = keygate.connect();
  client.send(request_to("/v1/x", k1.bearer()));
  EXPECT_TRUE(eventually([&] { return !client.unread().empty(); }));
  // Others are served meanwhile, by the same worker.
  for (int i = 0; i < 200; ++i) {
    expect_problem(ask(request_to("/v1/x")), 401, "missing_credential");
  }
  if (!is_sanitized) {
    EXPECT_LT(peak_resident_bytes(keygate.pid()), before + 8 * 1024 * 1024);
  }
  client.leave_with_reset();
}

TEST_F(Proxying, F34_AnEarlyAnswerArrivesWhileTheUploadGoesOn) {
  upstream.follow([](Turn& turn) {
    turn.answer(403, "enough");
    turn.wait_for_end();
  });
  {
    RawClient client = keygate.connect();
    client.send(request_to("/v1/x", "Content-Length: 8000000\r\n" + k1.bearer(), "POST") + std::string(300'000, 'x'));
    const Response response = client.read_response();
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.body, "enough");
    client.send(std::string(100'000, 'x'));
    EXPECT_TRUE(client.is_ended(std::chrono::seconds(10))) << shown(client.unread());
  }
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }))
      << "a connection with half a request was kept";
  upstream.follow(answer_ok);
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).body, "ok");
}

TEST_F(Proxying, F32_AStaleConnectionFromThePoolIsTriedAgainForGet) {
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  upstream.forget();
  upstream.follow([](Turn& turn) {
    turn.read_body();
    if (turn.number() > 0) {
      turn.close();  // it has been in the pool
    } else {
      turn.answer(200, "fresh");
    }
  });
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).body, "fresh");
  EXPECT_EQ(upstream.requests().size(), 2U);
}

TEST_F(Proxying, N12_AStaleConnectionFromThePoolIsNotTriedAgainForPost) {
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  upstream.forget();
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.close();
  });
  expect_problem(ask(request_with_body("/v1/x", "hello", k1.bearer())), 502, "");
  EXPECT_EQ(upstream.requests().size(), 1U) << "a POST was sent twice";
}

TEST_F(Proxying, F32_AnUpstreamThatClosesFreshConnectionsIsABadGateway) {
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.close();
  });
  expect_problem(ask(request_with_body("/v1/x", "hello", k1.bearer())), 502, "");
  EXPECT_EQ(upstream.requests().size(), 1U);
  expect_problem(ask(request_to("/v1/x", k1.bearer())), 502, "");
  EXPECT_LE(upstream.requests().size(), 3U);
}

TEST_F(Proxying, AConnectionThatDiedInThePoolIsNoticed) {
  for (int i = 0; i < 5; ++i) {
    upstream.follow([](Turn& turn) {
      turn.read_body();
      turn.answer(200, "ok");
      turn.close();
    });
    EXPECT_EQ(ask(request_with_body("/v1/x", "hello", k1.bearer())).status, 200) << i;
    EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }));
  }
  EXPECT_EQ(upstream.requests().size(), 5U);
}

class Limits : public Scenario {};

TEST_F(Limits, F30_ARefusedConnectionIsABadGateway) {
  start({.upstream_port = free_port()});
  const Response response = ask(request_to("/v1/x", k1.bearer()));
  expect_problem(response, 502, "upstream_unreachable");
  EXPECT_NE(response.fields["proxy-status"].find("keygate"), std::string::npos);
  EXPECT_NE(response.fields["proxy-status"].find("error=connection_refused"), std::string::npos)
      << response.fields["proxy-status"];
  EXPECT_EQ(keygate.readiness(), 200) << "an upstream that is down is not the proxy's readiness";
}

TEST_F(Limits, F31_ASlowUpstreamIsAGatewayTimeout) {
  start({.upstreams = "{default: {endpoints: [\"http://127.0.0.1:" + std::to_string(upstream.port()) +
                      "\"], timeouts: {response_header: 300ms}}}"});
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.wait_for_end();
  });
  const auto begin = std::chrono::steady_clock::now();
  const Response response = ask(request_to("/v1/x", k1.bearer()));
  const auto taken = std::chrono::steady_clock::now() - begin;
  expect_problem(response, 504, "upstream_timeout");
  EXPECT_GE(taken, std::chrono::milliseconds(250));
  EXPECT_LE(taken, std::chrono::milliseconds(is_sanitized ? 3000 : 1500));
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; })) << "the upstream's connection was kept";
  EXPECT_EQ(upstream.requests().size(), 1U) << "tried again although it may be at work";
}

TEST_F(Limits, F33_ABodyThatStandsStillIsBrokenOff) {
  start({.upstreams = "{default: {endpoints: [\"http://127.0.0.1:" + std::to_string(upstream.port()) +
                      "\"], timeouts: {idle: 300ms}}}"});
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    turn.wait_for_end();
  });
  RawClient client = keygate.connect();
  client.send(request_to("/v1/x", k1.bearer()));
  EXPECT_TRUE(client.read_to_end().ends_with("\r\n\r\nabc"));
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }));
}

TEST_F(Limits, D01_AHeadThatDripsIsCutOff) {
  start_without_keys({.limits = "header_timeout: 500ms"});
  RawClient client = keygate.connect();
  const auto begin = std::chrono::steady_clock::now();
  client.send("GET /public/x HTTP/1.1\r\n");
  // A byte now and then does not buy time.
  std::size_t sent = 0;
  EXPECT_TRUE(eventually([&] {
    client.send(sent++ == 0 ? "X: " : "x");
    return !client.unread().empty() || client.is_ended(std::chrono::milliseconds(20));
  }));
  EXPECT_LE(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  const std::string said = client.read_to_end();
  EXPECT_TRUE(said.starts_with("HTTP/1.1 408 ")) << shown(said);
  EXPECT_EQ(upstream.bytes(), "");
}

TEST_F(Limits, D02_ABodyThatStandsStillIsCutOff) {
  start_without_keys({.limits = "body_idle_timeout: 300ms"});
  RawClient client = keygate.connect();
  client.send(request_to("/public/x", "Content-Length: 10\r\n", "POST") + "abc");
  EXPECT_EQ(client.read_response().status, 408);
  EXPECT_TRUE(client.is_ended(std::chrono::seconds(5)));
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }));
  EXPECT_TRUE(upstream.requests().empty());
}

TEST_F(Limits, AnIdleConnectionIsClosed) {
  start_without_keys({.limits = "idle_timeout: 300ms"});
  RawClient client = keygate.connect();
  EXPECT_EQ(client.ask(request_to("/public/x")).status, 200);
  EXPECT_TRUE(client.is_ended(std::chrono::seconds(5)));
}

TEST_F(Limits, ABodyOverTheLimitIsRefused) {
  start_without_keys({.limits = "body_bytes: 10KiB"});
  expect_denied(request_with_body("/public/x", std::string(10 * 1024 + 1, 'x')),
                {413, "body_too_large", Ending::closed});
  EXPECT_EQ(expect_granted(request_with_body("/public/x", std::string(10 * 1024, 'x'))).body.size(), 10U * 1024);
  upstream.forget();
  // Found out on the way: the upstream's request is broken off.
  RawClient client = keygate.connect();
  client.send(request_to("/public/x", "Transfer-Encoding: chunked\r\n", "POST"));
  for (int i = 0; i < 3; ++i) {
    client.send("1000\r\n" + std::string(4096, 'x') + "\r\n");
  }
  expect_problem(client.read_response(), 413, "body_too_large");
  EXPECT_TRUE(client.is_ended(std::chrono::seconds(5)));
  EXPECT_TRUE(upstream.requests().empty());
}

TEST_F(Limits, ConnectionsBeyondTheLimitAreTurnedAway) {
  start_without_keys({.limits = "connections: 4"});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<RawClient>(keygate.port()));
    EXPECT_EQ(clients.back()->ask(request_to("/public/x")).status, 200);
  }
  RawClient fifth = keygate.connect();
  fifth.send(request_to("/public/fifth"));
  expect_problem(fifth.read_response(), 503, "overloaded");
  EXPECT_EQ(upstream.bytes().find("fifth"), std::string::npos);
  clients.pop_back();
  EXPECT_TRUE(eventually([&] {
    try {
      return ask(request_to("/public/next")).status == 200;
    } catch (const std::exception&) {
      return false;
    }
  })) << "a place that has become free is not given away";
}

}  // namespace
}  // namespace keygate::test
