// A-09, H-08: rate limits of three real proxies that share a real Redis, of one that has none, and of keys that bring
// their own.
#include "tests/support/fleet.hpp"
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace keygate::test {
namespace {

const std::string limited_policy = R"(version: 1
scopes: {"v1:read": Read what lies below /v1}
routes:
  - name: sandbox
    match: {path: /sandbox/try}
    anonymous: true
    rate_limit: {limit: 10, window: 1d, per: ip}
  - name: v1
    match: {path: "/v1/{rest...}"}
    require: {scopes: "v1:read"}
    rate_limit: [{limit: 5, window: 1h, per: key}, {limit: 8, window: 1h, per: organization}]
  - name: free
    match: {path: /free}
    anonymous: true
)";

// With a Redis that is waited for as long as a loaded machine needs: a late answer would be counted by a proxy alone.
FleetOptions patient(FleetOptions options) {
  options.redis_timeout = "1s";
  return options;
}

// Requests that all happen on one day in UTC, for limits of a day: `ask` begins anew where midnight came between.
template <class Ask>
auto within_a_day(const Ask& ask) {
  const auto today = [] { return std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()); };
  while (true) {
    const auto day = today();
    auto result = ask();
    if (today() == day) return result;
  }
}

std::string lying_request(int number) {
  const std::string claim = "198.51.100." + std::to_string(number % 250 + 1);
  return request_to("/sandbox/try",
                    "X-Forwarded-For: " + claim + "\r\nX-Real-IP: " + claim + "\r\nForwarded: for=" + claim + "\r\n");
}

// Of `requests`, one after the other over all proxies, how many passed. All others are 429.
int passed_of(const Fleet& fleet, int requests) {
  int passed = 0;
  for (int i = 0; i < requests; ++i) {
    const Response response = ask(fleet.proxy(i % fleet.proxies().size()).port(), lying_request(i));
    if (response.status != 200) {
      EXPECT_EQ(outcome_of(response), "429 rate_limited");
    } else {
      ++passed;
    }
  }
  return passed;
}

std::size_t counters_in(const Redis& redis) {
  const std::string names = redis.command({"KEYS", "keygate:v1:limit:*"});
  std::size_t count = 0;
  for (auto at = names.find("limit:"); at != std::string::npos; at = names.find("limit:", at + 1)) ++count;
  return count;
}

TEST(RateLimits, H08_TenADayForAnAddressOverThreeProxiesWhateverItClaims) {
  const Fleet fleet(patient({.policy = limited_policy}));
  const int passed = within_a_day([&] { return passed_of(fleet, 45); });
  EXPECT_EQ(passed, 10);
  for (const auto& proxy : fleet.proxies()) EXPECT_EQ(proxy->errors().find("rate limits:"), std::string::npos);
}

TEST(RateLimitsUnderLoad, H08_ExactlyTheLimitPassesWhereAllComeAtOnce) {
  const Fleet fleet(patient({.policy = limited_policy}));
  std::atomic<int> passed{0};
  std::vector<std::thread> clients;
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  for (unsigned i = 0; i < 6; ++i) {
    clients.emplace_back([&, i] {
      RawClient client(fleet.proxy(i % 3).port());
      for (int n = 0; n < 20; ++n) passed += client.ask(lying_request(n)).status == 200 ? 1 : 0;
    });
  }
  for (auto& client : clients) client.join();
  const bool is_one_day = today == std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  EXPECT_TRUE(passed == 10 || (!is_one_day && passed <= 20)) << passed;
}

TEST(RateLimits, A09_EveryAnswerSaysWhatIsLeft) {
  Fleet fleet(patient({.policy = limited_policy, .threads = {1}}));
  fleet.upstream.follow([](Turn& turn) {
    turn.answer(404, "none",
                "RateLimit-Limit: 1\r\nratelimit-remaining: 1000\r\nRateLimit-Reset: 5\r\nX-RateLimit-Limit: 7\r\n");
  });
  const Key key = fleet.service.create();
  const Response first = ask(fleet.proxy(0).port(), request_with(key));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask(fleet.proxy(0).port(), request_with(key)).status, 404);
  const Response last = ask(fleet.proxy(0).port(), request_with(key));
  EXPECT_EQ(first.status, 404);
  EXPECT_EQ(first.fields.count("ratelimit-limit"), 1U);
  EXPECT_EQ(first.fields["ratelimit-limit"], "5");
  EXPECT_EQ(first.fields["ratelimit-remaining"], "4");
  EXPECT_EQ(first.fields["ratelimit-reset"], "720");
  EXPECT_EQ(first.fields["x-ratelimit-limit"], "7") << "that is the upstream's own affair";
  expect_problem(last, 429, "rate_limited");
  EXPECT_EQ(last.fields["ratelimit-remaining"], "0");
  EXPECT_GE(std::stoi(last.fields["retry-after"]), 600);
  EXPECT_LE(std::stoi(last.fields["retry-after"]), 720);
  // What was decided before it came to counting says nothing of it, and neither does a route without a limit.
  EXPECT_FALSE(ask(fleet.proxy(0).port(), request_to("/v1/x")).fields.has("ratelimit-limit"));
  EXPECT_EQ(ask(fleet.proxy(0).port(), request_to("/free")).fields["ratelimit-limit"], "1");
}

TEST(RateLimits, WhoIsRefusedTakesNothingFromItsOrganization) {
  const Fleet fleet(patient({.policy = limited_policy, .threads = {1, 1}}));
  const Key greedy = fleet.service.create(), modest = fleet.service.create();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(outcome_at(fleet.proxy(i % 2), greedy), "200 ok");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(outcome_at(fleet.proxy(i % 2), greedy), "429 rate_limited");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(outcome_at(fleet.proxy(i % 2), modest), "200 ok") << "of eight";
  EXPECT_EQ(outcome_at(fleet.proxy(0), modest), "429 rate_limited");
}

TEST(RateLimits, WhoeverIsNotLetInCountsForNobody) {
  const Fleet fleet(patient({.policy = limited_policy, .threads = {1}}));
  const Key key = fleet.service.create(), weak = fleet.service.create({.scopes = "v1:read"});
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(ask(fleet.proxy(0).port(), request_to("/v1/x")).status, 401);
    EXPECT_EQ(ask(fleet.proxy(0).port(), request_to("/nowhere", weak.bearer())).status, 403);
  }
  for (int i = 0; i < 5; ++i) EXPECT_EQ(outcome_at(fleet.proxy(0), key), "200 ok");
}

TEST(RateLimits, F02_AFrozenRedisLetsThroughNoMoreThanEachProxyAlone) {
  const Fleet fleet({.policy = limited_policy});
  const int passed = within_a_day([&] {
    fleet.redis.command({"FLUSHALL"});
    const int before = passed_of(fleet, 4);
    fleet.redis.freeze();
    const int during = passed_of(fleet, 90);
    fleet.redis.thaw();
    return before + during;
  });
  EXPECT_GT(passed, 10) << "each counts for itself";
  EXPECT_LE(passed, 30);
  for (const auto& proxy : fleet.proxies()) {
    EXPECT_NE(proxy->errors().find("rate limits: counted by this process alone, not in Redis"), std::string::npos);
  }
  EXPECT_TRUE(eventually([&] {
    passed_of(fleet, 6);
    return fleet.proxy(0).errors().find("rate limits: counted in Redis again") != std::string::npos;
  }));
}

TEST(RateLimits, F01_ARedisThatIsStartedAgainCountsForAllAgain) {
  Fleet fleet({.policy = limited_policy, .threads = {1, 1}});
  const Key key = fleet.service.create();
  EXPECT_EQ(outcome_at(fleet.proxy(0), key), "200 ok");
  fleet.redis.kill();
  EXPECT_EQ(outcome_at(fleet.proxy(0), key), "200 ok");
  EXPECT_EQ(outcome_at(fleet.proxy(1), key), "200 ok");
  fleet.redis.start();
  EXPECT_TRUE(eventually([&] {
    ask(fleet.proxy(0).port(), request_to("/sandbox/try"));
    return counters_in(fleet.redis) > 0;
  }));
}

TEST(RateLimits, RedisHoldsNoAddressAndNoName) {
  const Fleet fleet(patient({.policy = limited_policy, .threads = {1}}));
  const Key key = fleet.service.create();
  EXPECT_EQ(outcome_at(fleet.proxy(0), key), "200 ok");
  EXPECT_EQ(ask(fleet.proxy(0).port(), request_to("/sandbox/try")).status, 200);
  EXPECT_EQ(counters_in(fleet.redis), 3U);
  const std::string names = fleet.redis.command({"KEYS", "keygate:v1:limit:*"});
  for (const std::string& clear : {std::string("127.0.0.1"), key.id, std::string("org_1"), std::string("sandbox")}) {
    EXPECT_EQ(names.find(clear), std::string::npos);
  }
}

class RateLimitsConcurrent : public Scenario {};

TEST_F(RateLimitsConcurrent, TheWorkersOfOneProcessCountTogether) {
  Config config{.policy = limited_policy, .threads = 2};
  start_without_keys(config);
  std::atomic<int> passed{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      for (int n = 0; n < 20; ++n) passed += ask(lying_request(n)).status == 200 ? 1 : 0;
    });
  }
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  for (auto& client : clients) client.join();
  const bool is_one_day = today == std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  EXPECT_TRUE(passed == 10 || (!is_one_day && passed <= 20)) << passed;
  EXPECT_NE(keygate.errors().find("rate limits: counted by this process alone, not in Redis: there is no "
                                  "resolution.redis"),
            std::string::npos);
}

}  // namespace
}  // namespace keygate::test
