// Probes of the application by way of the health listener: what gets up to it, and what does not.
#include "tests/support/scenario.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace keygate::test {
namespace {

const std::string forward =
    "forward: {/app-health/live: default, /app-health/ready: {upstream: default, path: "
    "'/healthz?full=1', timeout: 400ms}}";

class ForwardedProbes : public Scenario {
 protected:
  void start_forwarding(Config config = {}) {
    start_without_keys(std::move(config));
    change("health: {", "health: {" + forward + ", ");
    ASSERT_TRUE(eventually([&] { return keygate.errors().find("generation 2 is in force") != std::string::npos; }));
  }
  // What a reload then reads.
  void change(const std::string& from, const std::string& to) {
    std::ifstream before(keygate.config_file());
    std::string text{std::istreambuf_iterator<char>(before), {}};
    text.replace(text.find(from), from.size(), to);
    std::ofstream(keygate.config_file()) << text;
  }
  Response probe(std::string_view target, std::string_view fields = "", std::string_view method = "GET") const {
    return test::ask(keygate.health_port(),
                     std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
                         std::string(fields) + "\r\n",
                     method == "HEAD" ? AnswerTo::head : AnswerTo::get);
  }
};

TEST_F(ForwardedProbes, TellWhatTheApplicationSays) {
  start_forwarding();
  for (const int one : {200, 404, 500, 503, 599}) {
    upstream.follow(
        [one](Turn& turn) { turn.answer(one, "of the application", "X-Secret: 1\r\nLocation: /elsewhere\r\n"); });
    const Response response = probe("/app-health/live");
    EXPECT_EQ(response.status, one);
    EXPECT_EQ(response.body, "default answered " + std::to_string(one) + "\n");
    EXPECT_EQ(response.fields["x-secret"], "(absent)");
    EXPECT_EQ(response.fields["location"], "(absent)");
  }
  EXPECT_EQ(upstream.requests().size(), 5U);
  EXPECT_EQ(upstream.requests().front().target, "/app-health/live");
}

// A kubelet would take it for success.
TEST_F(ForwardedProbes, FollowNoRedirect) {
  start_forwarding();
  for (const int one : {301, 302, 304, 308}) {
    upstream.follow([one](Turn& turn) { turn.answer(one, "", "Location: /elsewhere\r\n"); });
    const Response response = probe("/app-health/live");
    EXPECT_EQ(response.status, 503) << one;
    EXPECT_EQ(response.body,
              "default is not well: it answered " + std::to_string(one) + ", and no redirect is followed\n");
  }
  EXPECT_EQ(upstream.requests().size(), 4U);
}

TEST_F(ForwardedProbes, StepOverInterimAnswers) {
  upstream.follow([](Turn& turn) {
    turn.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
    turn.answer(200, "ok");
  });
  start_forwarding();
  EXPECT_EQ(probe("/app-health/live").body, "default answered 200\n");
}

TEST_F(ForwardedProbes, HaveNoBodyWhereTheStatusHasNone) {
  upstream.follow([](Turn& turn) { turn.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"); });
  start_forwarding();
  const Response response = probe("/app-health/live");
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.fields["content-length"], "(absent)");
}

TEST_F(ForwardedProbes, H14_CarryNothingOfWhoeverAsks) {
  start_forwarding();
  const Response response =
      probe("/app-health/ready",
            "Authorization: Bearer abc\r\nCookie: a=b\r\nX-Api-Key: k\r\nX-Org-Id: evil\r\n"
            "User-Agent: kube-probe/1.30\r\nX-Forwarded-For: 1.2.3.4\r\nConnection: X-Org-Id\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(upstream.bytes(), "GET /healthz?full=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(upstream.port()) +
                                  "\r\nUser-Agent: keygate-health-check\r\nAccept: */*\r\nConnection: close\r\n\r\n");
}

TEST_F(ForwardedProbes, H14_AreOfFixedPathsAndNothingElse) {
  start_forwarding();
  for (const char* const target :
       {"/app-health/live?x=1", "/app-health/live/", "/app-health/liv%65", "//app-health/live", "/app-health/./live",
        "/app-health/live/../../admin", "/app-health", "/v1/x", "/public/x", "/healthz", "/APP-HEALTH/LIVE",
        "http://x/app-health/live", "/app-health/live#x"}) {
    EXPECT_EQ(probe(target).status, 404) << target;
  }
  for (const char* const method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"}) {
    EXPECT_EQ(probe("/app-health/live", "", method).status, 405) << method;
  }
  // With a body it is no probe, and the connection ends.
  RawClient client(keygate.health_port());
  client.send("GET /app-health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  client.finish_sending();
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_EQ(upstream.connections(), 0U);
  EXPECT_EQ(probe("/readyz").status, 200);
}

TEST_F(ForwardedProbes, MayBeAskedForByHead) {
  start_forwarding();
  const Response response = probe("/app-health/live", "", "HEAD");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(upstream.only_request().method, "GET");
}

TEST_F(ForwardedProbes, AreNoRoutesForClients) {
  start_forwarding();
  expect_problem(ask(request_to("/app-health/live")), 403, "no_route");
  EXPECT_EQ(upstream.connections(), 0U);
}

TEST_F(ForwardedProbes, SayWhereTheApplicationIsDown) {
  const std::uint16_t nobody = free_port();
  start_forwarding({.upstream_port = nobody});
  const Response response = probe("/app-health/live");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "default is not well: Connection refused\n");
  EXPECT_EQ(probe("/readyz").status, 200) << "that is the application's, not ours";
  EXPECT_EQ(probe("/livez").status, 200);
}

TEST_F(ForwardedProbes, F36_AreNotWellWhereTheAnswerIsNone) {
  start_forwarding();
  for (const char* const one : {"", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 2\r\n\r\n", "HTTP/1.1 103 Early Hints\r\n\r\n",
                                "HTTP/1.1 700 What\r\n\r\n", "HTTP/1.1 000 No\r\n\r\n"}) {
    upstream.follow([bytes = std::string(one)](Turn& turn) {
      turn.send(bytes);
      turn.close();
    });
    EXPECT_EQ(probe("/app-health/live").status, 503) << one;
  }
}

TEST_F(ForwardedProbes, F31_EndWhereTheApplicationTakesItsTime) {
  upstream.follow([](Turn& turn) { turn.wait_for_end(); });
  start_forwarding();
  const Response response = probe("/app-health/ready");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "default is not well: no answer in time\n");
}

// Whoever reaches the health port can make the application answer one probe of each path at a time, and no more.
TEST_F(ForwardedProbes, AreOneAtATimeHoweverManyAsk) {
  upstream.follow([](Turn& turn) {
    turn.hold();
    turn.answer(200, "ok");
  });
  start_forwarding();
  std::vector<int> statuses(8);
  std::vector<std::thread> askers;
  for (int& status : statuses) {
    askers.emplace_back([this, &status] { status = probe("/app-health/live").status; });
  }
  EXPECT_TRUE(eventually([&] { return upstream.held() == 1; }));
  EXPECT_EQ(probe("/livez").status, 200);
  EXPECT_EQ(upstream.connections(), 1U);
  upstream.release();
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(std::count(statuses.begin(), statuses.end(), 200), 8);
}

TEST_F(ForwardedProbes, LeaveNoTraceInTheAccessLogOrTheFigures) {
  start_forwarding();
  EXPECT_EQ(probe("/app-health/live").status, 200);
  EXPECT_THAT(probe("/metrics").body, testing::Not(testing::HasSubstr("keygate_requests_total{")));
  EXPECT_EQ(keygate.stop().code, 0);
  EXPECT_TRUE(keygate.access_log().empty());
}

TEST_F(ForwardedProbes, AreChangedByAReload) {
  start_forwarding();
  EXPECT_EQ(probe("/app-health/live").status, 200);
  change("/app-health/live", "/app-health/other");
  EXPECT_TRUE(eventually([&] { return probe("/app-health/other").status == 200; }));
  EXPECT_EQ(probe("/app-health/live").status, 404);
}

}  // namespace
}  // namespace keygate::test
