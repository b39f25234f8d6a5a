// What the proxy asks a key service, how often, and what becomes of answers that no service should give. A scripted
// one.
#include "tests/support/fleet.hpp"
#include "tests/support/revoking.hpp"
#include "tests/support/scenario.hpp"
#include "tests/support/scripted_service.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace keygate::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

Key key_named(const std::string& name) { return {"key_" + name, "kg_" + std::string(30, 'x') + name}; }

// Keys that begin as those above are good, with scope v1:read; all else is unknown.
std::string answer_to(const std::string& key) {
  const std::string name = key.substr(std::min<std::size_t>(33, key.size()));
  return key.starts_with("kg_x") ? good_answer("key_" + name) : unknown_answer;
}

class AskedService : public testing::Test {
 protected:
  void start(unsigned threads = 1, const std::string& more = "") {
    Config config{.upstream_port = upstream.port(), .threads = threads};
    config.resolution = "{service: {url: \"http://127.0.0.1:" + std::to_string(service.port()) +
                        "/verify\", timeout: 1s}" + (more.empty() ? "" : ", ") + more + "}";
    proxy.start(std::move(config));
  }

  ScriptedService service{answer_to};
  RecordingUpstream upstream{answer_with_identity};
  Keygate proxy;
};

TEST_F(AskedService, C09_AThousandRequestsForAColdKeyAreOneCallAWorker) {
  constexpr unsigned workers = 2;
  constexpr int requests = is_sanitized ? 300 : 1000;
  start(workers);
  // Its scope is not that of the route: all of them are answered here.
  service.server().follow([&](Turn& turn) {
    turn.hold();
    turn.read_body();
    turn.answer(200, good_answer("key_cold"), "Content-Type: application/json\r\n");
  });
  const Key cold = key_named("cold");
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < requests; ++i) {
    clients.push_back(std::make_unique<RawClient>(proxy.port()));
    clients.back()->send(request_with(cold, "/admin/x"));
  }
  // Who leaves fails nobody else, not even where it asked first.
  EXPECT_TRUE(eventually([&] { return service.server().held() == workers; }));
  clients.front()->leave_with_reset();
  clients.erase(clients.begin());
  service.server().release();
  for (const auto& client : clients) EXPECT_EQ(outcome_of(client->read_response()), "403 insufficient_scope");
  EXPECT_EQ(service.server().requests().size(), workers);
  EXPECT_EQ(outcome_at(proxy, cold), "200 ok");
}

TEST_F(AskedService, C03_TwoColdKeysAtOnceAreTwoIdentities) {
  start();
  service.server().follow([&](Turn& turn) {
    turn.hold();
    const std::string body = turn.read_body();
    turn.answer(200, answer_to(body.substr(8, body.size() - 10)), "Content-Type: application/json\r\n");
  });
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<RawClient>(proxy.port()));
    clients.back()->send(request_with(key_named(i % 2 == 0 ? "even" : "odd")));
  }
  EXPECT_TRUE(eventually([&] { return service.server().held() == 2; }));
  service.server().release();
  for (std::size_t i = 0; i < clients.size(); ++i) {
    EXPECT_EQ(clients[i]->read_response().body, identity_of(key_named(i % 2 == 0 ? "even" : "odd")));
  }
}

TEST_F(AskedService, C08_ThousandsOfRandomKeysPushNoGoodOneOutOfMemory) {
  start(1, "memory: {max_keys: 50, max_unknown_keys: 50}");
  std::vector<Key> hot;
  for (int i = 0; i < 50; ++i) hot.push_back(key_named("hot" + std::to_string(i)));
  RawClient client(proxy.port());
  for (const Key& key : hot) EXPECT_EQ(outcome_of(client.ask(request_with(key))), "200 ok");
  for (int i = 0; i < 2000; ++i) {
    const Key random{"", "kg_random" + std::to_string(100000 + i) + "abcdefghijklmnopqrst"};
    const std::string outcome = outcome_of(client.ask(request_with(random)));
    ASSERT_TRUE(outcome == "401 invalid_key" || outcome == "429 too_many_unknown_keys") << outcome;
  }
  for (const Key& key : hot) {
    EXPECT_EQ(outcome_of(client.ask(request_with(key))), "200 ok");
    EXPECT_EQ(service.calls_for(key.text), 1U) << "it was asked for again";
  }
}

// Its budget spent, an address has four look-ups at a time and 64 that wait; known keys and other addresses are served.
TEST_F(AskedService, C08_WhoSpraysKeysIsToldToComeBackAndNobodyElseIsHeldUp) {
  start(1, "unknown_key_budget: {per_ip: 5/s, total: 0/s}");
  const Key known = key_named("known"), cold = key_named("cold");
  EXPECT_EQ(outcome_at(proxy, known), "200 ok");
  const auto spray = [](int number) {
    return Key{"", "kg_spray" + std::to_string(1000 + number) + "abcdefghijklmnopq"};
  };
  RawClient first(proxy.port());
  std::string sprayed;
  for (int i = 0; i < 10; ++i) sprayed += request_with(spray(i));
  first.send(sprayed);  // faster than the budget comes back
  for (int i = 0; i < 10; ++i) EXPECT_EQ(outcome_of(first.read_response()), "401 invalid_key");

  service.server().follow([&](Turn& turn) {
    turn.read_body();
    turn.hold();
    turn.answer(200, unknown_answer, "Content-Type: application/json\r\n");
  });
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 10; i < 80; ++i) {
    clients.push_back(std::make_unique<RawClient>(proxy.port()));
    clients.back()->send(request_with(spray(i)));
  }
  RawClient late(proxy.port());
  EXPECT_TRUE(eventually([&] { return outcome_of(late.ask(request_with(spray(99)))) == "429 too_many_unknown_keys"; }));
  EXPECT_EQ(outcome_at(proxy, known), "200 ok");
  const Response refused = late.ask(request_with(spray(100)));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.fields["retry-after"], "1");
  EXPECT_LE(service.server().held(), 10U) << "four, and those of before the budget was spent";
  service.server().release();
  for (const auto& client : clients) {
    const std::string outcome = outcome_of(client->read_response());
    EXPECT_TRUE(outcome == "401 invalid_key" || outcome == "429 too_many_unknown_keys") << outcome;
  }
  EXPECT_EQ(upstream.requests().size(), 2U);
}

TEST_F(AskedService, C08_AKeyThatIsMadeAfterItWasUnknownIsGoodWithinFiveSeconds) {
  start(1, "memory: {unknown_ttl: 500ms}");
  const Key late{"key_late", "kg_late" + std::string(30, 'y')};
  EXPECT_EQ(outcome_at(proxy, late), "401 invalid_key");
  const std::size_t before = service.calls();
  EXPECT_EQ(outcome_at(proxy, late), "401 invalid_key");
  EXPECT_EQ(service.calls(), before) << "it is remembered, for a while";
  service.server().follow([](Turn& turn) {
    turn.read_body();
    turn.answer(200, good_answer("key_late"), "Content-Type: application/json\r\n");
  });
  EXPECT_TRUE(eventually([&] { return outcome_at(proxy, late) == "200 ok"; }, milliseconds(500) + slack));
}

// One call for one look-up: who is in trouble is not asked twice.
TEST_F(AskedService, F22_AFailureIsNotAskedAgain) {
  start();
  for (const std::string status : {"500 Internal Server Error", "502 Bad Gateway"}) {
    service.answer_all_with("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n");
    const std::size_t before = service.calls();
    expect_problem(ask(proxy.port(), request_with(key_named(status.substr(0, 3)))), 503, "key_service_unavailable");
    EXPECT_EQ(service.calls(), before + 1);
  }
  EXPECT_EQ(upstream.bytes(), "");
}

TEST_F(AskedService, F22_WhoAsksForTimeIsLeftAloneForSoLong) {
  start();
  EXPECT_EQ(outcome_at(proxy, key_named("known")), "200 ok");
  service.answer_all_with("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n");
  const auto begin = Clock::now();
  EXPECT_EQ(outcome_at(proxy, key_named("cold")), "503 key_service_unavailable");
  const std::size_t before = service.calls();
  // The first call after that ends this.
  EXPECT_TRUE(eventually([&] {
    EXPECT_EQ(outcome_at(proxy, key_named("cold")), "503 key_service_unavailable");
    EXPECT_EQ(outcome_at(proxy, key_named("known")), "200 ok");
    return service.calls() > before;
  }));
  EXPECT_GE(Clock::now() - begin, milliseconds(1990));
  EXPECT_LE(Clock::now() - begin, seconds(2) + slack);
}

struct BadAnswer {
  std::string name;
  std::string bytes;
};

std::string with_body(const std::string& body, const std::string& type = "application/json") {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

class BadAnswers : public AskedService, public testing::WithParamInterface<BadAnswer> {};

TEST_P(BadAnswers, LetNobodyInRefuseNobodyAndAreNotRemembered) {
  start();
  EXPECT_EQ(outcome_at(proxy, key_named("known")), "200 ok");
  upstream.forget();
  service.answer_all_with(GetParam().bytes);
  for (int i = 0; i < 2; ++i) {
    const std::size_t before = service.calls();
    expect_problem(ask(proxy.port(), request_with(key_named("cold"))), 503, "key_service_unavailable");
    EXPECT_EQ(service.calls(), before + 1);
  }
  EXPECT_EQ(upstream.bytes(), "");
  EXPECT_EQ(outcome_at(proxy, key_named("known")), "200 ok") << "it is in memory";
  EXPECT_EQ(proxy.errors().find(std::string(30, 'x')), std::string::npos) << "a key in the log: " << proxy.errors();
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadAnswers,
    testing::Values(
        BadAnswer{"F23_not_json", with_body("yes")},
        BadAnswer{"F23_html", with_body("<html>valid: true</html>", "text/html")},
        BadAnswer{"F23_good_json_of_another_type", with_body(good_answer("key_cold"), "text/plain")},
        BadAnswer{"F23_cut_off",
                  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                  "Content-Length: 60\r\n\r\n{\"valid\":true}"},
        BadAnswer{"F23_valid_is_text", with_body(R"({"valid":"true","key_id":"k","organization_id":"o","scopes":[]})")},
        BadAnswer{"F23_valid_stands_twice",
                  with_body(R"({"valid":false,"valid":true,"key_id":"k","organization_id":"o",)"
                            R"("scopes":["v1:read"]})")},
        BadAnswer{"F23_valid_is_missing", with_body(R"({"key_id":"k","organization_id":"o","scopes":["v1:read"]})")},
        BadAnswer{
            "F23_header_in_the_organization",
            with_body(R"({"valid":true,"key_id":"k","organization_id":"o\r\nX-Scopes: admin","scopes":["v1:read"]})")},
        BadAnswer{
            "F23_expiry_is_text",
            with_body(R"({"valid":true,"key_id":"k","organization_id":"o","scopes":["v1:read"],"expires_at":"soon"})")},
        BadAnswer{"F23_a_code_that_nobody_knows", with_body(R"({"valid":false,"code":"perhaps"})")},
        BadAnswer{"F25_redirect", "HTTP/1.1 302 Found\r\nLocation: /verify\r\nContent-Length: 0\r\n\r\n"},
        BadAnswer{"F25_nothing", "HTTP/1.1 204 No Content\r\n\r\n"},
        BadAnswer{"F25_forbidden",
                  "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n"
                  "{\"valid\":false}"},
        BadAnswer{"F25_not_found", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace keygate::test
