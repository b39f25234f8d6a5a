// What becomes of a connection whose request is refused while its body is still on the way: the answer arrives, and the
// connection lives on where that is cheaper than a new one.
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <signal.h>

namespace keygate::test {
namespace {

using std::string;

constexpr std::size_t ten_megabytes = 10'000'000;

class Refusal : public Scenario {
 protected:
  void expect_next_request(RawClient& client) {
    upstream.forget();
    EXPECT_EQ(client.ask(request_to("/public/after")).status, 200);
    EXPECT_EQ(upstream.only_request().target, "/public/after");
  }
  static string upload_head(std::size_t size, const string& more = "") {
    return request_to("/v1/x", "Content-Length: " + std::to_string(size) + "\r\n" + more, "POST");
  }
};

TEST_F(Refusal, ASmallBodyInAPacketOfItsOwnDoesNotCostTheConnection) {
  start_without_keys();
  for (const std::size_t size : {std::size_t{1}, std::size_t{5'000}, std::size_t{64 * 1024}}) {
    RawClient client = keygate.connect();
    client.send(upload_head(size));
    const Response response = client.read_response();
    expect_problem(response, 401, "missing_credential");
    EXPECT_FALSE(response.fields.lists("connection", "close"));
    // What looks like a request is body still (M-15).
    const string body = request_to("/public/smuggled");
    client.send(size > body.size() ? body + string(size - body.size(), 'x') : body.substr(0, size));
    expect_next_request(client);
  }
  EXPECT_EQ(upstream.everything().find("smuggled"), string::npos);
}

TEST_F(Refusal, ABodyThatCameInPartIsTakenToItsEnd) {
  start_without_keys();
  RawClient client = keygate.connect();
  client.send(upload_head(10) + "01234");
  expect_problem(client.read_response(), 401, "missing_credential");
  client.send("56789" + request_to("/public/after"));
  EXPECT_EQ(client.read_response().status, 200);
  EXPECT_EQ(upstream.only_request().target, "/public/after");
}

TEST_F(Refusal, AByteMoreCostsTheConnection) {
  start_without_keys();
  expect_denied(upload_head(64 * 1024 + 1), {401, "missing_credential", Ending::closed});
  expect_denied(request_to("/v1/x", "Transfer-Encoding: chunked\r\n", "POST"),
                {401, "missing_credential", Ending::closed});
}

TEST_F(Refusal, N09_WhoWaitsForAContinueMaySendItsBodyOrNot) {
  start_without_keys();
  expect_denied(upload_head(5, "Expect: 100-continue\r\n"), {401, "missing_credential", Ending::closed});
}

TEST_F(Refusal, ABodyThatNeverComesEndsTheConnection) {
  start_without_keys();
  RawClient client = keygate.connect();
  client.send(upload_head(10) + "01234");
  expect_problem(client.read_response(), 401, "missing_credential");
  EXPECT_TRUE(client.is_ended(std::chrono::seconds(15)));
  EXPECT_EQ(upstream.bytes(), "");
}

// Clients that send all before they read anything are many; a reset would take the answer from them.
TEST_F(Refusal, AnUploadOfTenMegabytesKeepsItsAnswer) {
  start_without_keys();
  for (int i = 0; i < 3; ++i) {
    RawClient client = keygate.connect();
    EXPECT_TRUE(client.send(upload_head(ten_megabytes))) << i;
    EXPECT_TRUE(client.send(string(ten_megabytes, 'x'))) << "broken off on its way";
    expect_problem(client.read_response(), 401, "missing_credential");
    EXPECT_TRUE(client.is_ended(std::chrono::seconds(5)));
  }
  EXPECT_EQ(upstream.bytes(), "");
}

TEST_F(Refusal, F34_AnEarlyAnswerToAnUploadOfTenMegabytesIsKept) {
  start_without_keys();
  upstream.follow([](Turn& turn) {
    turn.answer(403, "enough");
    turn.wait_for_end();
  });
  RawClient client = keygate.connect();
  client.send(request_to("/public/x", "Content-Length: " + std::to_string(ten_megabytes) + "\r\n", "POST"));
  EXPECT_TRUE(client.send(string(ten_megabytes, 'x'))) << "broken off on its way";
  const Response response = client.read_response();
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.body, "enough");
}

TEST_F(Refusal, F62_ADrainDoesNotWaitForWhoeverSendsOn) {
  start_without_keys({.limits = "drain_timeout: 60s"});
  RawClient client = keygate.connect();
  client.send(upload_head(ten_megabytes));
  expect_problem(client.read_response(), 401, "missing_credential");
  keygate.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return !client.send("x"); }, std::chrono::seconds(10)));
  EXPECT_EQ(keygate.wait_for_end().code, 0);
}

}  // namespace
}  // namespace keygate::test
