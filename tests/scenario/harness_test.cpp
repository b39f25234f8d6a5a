// The oracle itself: what the harness says of real servers, and what its parser refuses.
#include "tests/support/curl.hpp"
#include "tests/support/nginx.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recording_upstream.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <signal.h>

namespace keygate::test {
namespace {

TEST(StrictParser, RefusesWhatTwoServersCouldReadDifferently) {
  for (const char* bytes : {
           "GET / HTTP/1.1\nHost: a\n\n",
           "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
           "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
           "GET / HTTP/1.1\r\nX: 1\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n",
           "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
           "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 01\r\n\r\nx",
           "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n0\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Org-Id: evil\r\n\r\n",
       }) {
    EXPECT_THROW(read_request(bytes), Malformed) << bytes;
  }
}

TEST(StrictParser, ReadsOneRequestAndLeavesTheNext) {
  const std::string_view bytes =
      "POST /a?b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
  const auto request = read_request(bytes);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->target, "/a?b");
  EXPECT_EQ(request->body, "hi");
  EXPECT_EQ(bytes.substr(request->size), "GET / HTTP/1.1\r\n");
  EXPECT_FALSE(read_request(bytes.substr(0, request->size - 1)));
}

TEST(StrictParser, KeepsInterimResponsesApart) {
  const auto response =
      read_response("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP",
                    AnswerTo::get, false);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "ok");
  ASSERT_EQ(response->interim.size(), 1U);
  EXPECT_EQ(response->interim[0].status, 103);
}

TEST(RecordingUpstream, KeepsEveryByteAndSeesTheClientLeave) {
  RecordingUpstream upstream;
  {
    RawClient client(upstream.port());
    EXPECT_EQ(client.ask("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc").body, "ok");
    client.send_split("GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(client.read_response().status, 200);
    EXPECT_EQ(upstream.open_connections(), 1U);
  }
  EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; }));
  ASSERT_EQ(upstream.requests().size(), 2U);
  EXPECT_EQ(upstream.requests()[0].body, "abc");
  EXPECT_EQ(upstream.requests()[1].target, "/b");
  EXPECT_EQ(upstream.connections(), 1U);
}

TEST(RecordingUpstream, AnswersWithAnyBytesHoldsAndLeavesEarly) {
  RecordingUpstream upstream([](Turn& turn) {
    turn.hold();
    turn.send("rubbish");
    turn.close();
  });
  RawClient client(upstream.port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return upstream.held() == 1; }));
  EXPECT_EQ(client.unread(), "");
  upstream.release();
  EXPECT_EQ(client.read_to_end(), "rubbish");
}

TEST(Harness, RawClientAndCurlAgreeAboutNginx) {
  const Nginx nginx;
  const std::string base = "http://127.0.0.1:" + std::to_string(nginx.port());
  const std::string request = "GET /v1/echo HTTP/1.1\r\nHost: x\r\nX-Org-Id: org_1\r\n\r\n";
  EXPECT_NE(ask(nginx.port(), request).body.find("org=org_1\n"), std::string::npos);
  const CurlResult echoed = curl({"-H", "X-Org-Id: org_1", base + "/v1/echo"});
  EXPECT_EQ(echoed.status, 200);
  EXPECT_NE(echoed.body.find("org=org_1\n"), std::string::npos) << echoed.body << echoed.errors;

  const std::string digest = write_pattern(nginx.file("some"), 300'000);
  const TempDir directory;
  EXPECT_EQ(curl({"-T", nginx.file("some"), base + "/v1/store/some"}).status, 201) << nginx.error_log();
  EXPECT_EQ(sha256_of_file(nginx.stored("some")), digest);
  const CurlResult chunked = curl({"-o", directory / "got", base + "/v1/chunked/some"});
  EXPECT_TRUE(chunked.fields.lists("transfer-encoding", "chunked"));
  EXPECT_EQ(sha256_of_file(directory / "got"), digest);
  EXPECT_EQ(curl({base + "/v1/empty"}).status, 204);
}

TEST(Harness, ProcessesAreReadWhileTheyRunAndEndedByPid) {
  pid_t pid = 0;
  {
    Process cat({{"sh", "-c", "echo begun; echo said >&2; exec tail -f /dev/null"}});
    pid = cat.pid();
    EXPECT_TRUE(eventually([&] { return cat.output() == "begun\n" && cat.errors() == "said\n"; }));
    EXPECT_FALSE(cat.exited());
    EXPECT_GT(resident_bytes(pid), 0U);
  }
  EXPECT_NE(kill(pid, 0), 0);
  EXPECT_EQ(run({{"sh", "-c", "cat; exit 3"}, {}, "", "given"}).output, "given");
  EXPECT_EQ(run({{"sh", "-c", "exit 3"}}).status.code, 3);
}

}  // namespace
}  // namespace keygate::test
