// The key server is killed, frozen, slow, or comes back to many who wait: "could not find out" is not no. Real
// processes.
#include "tests/support/fleet.hpp"
#include "tests/support/revoking.hpp"
#include "tests/support/rounds.hpp"
#include "tests/support/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace keygate::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

milliseconds since(Clock::time_point begin) { return std::chrono::duration_cast<milliseconds>(Clock::now() - begin); }

void expect_could_not_find_out(const Response& response) {
  expect_problem(response, 503, "key_service_unavailable");
  const int wait = std::atoi(response.fields["retry-after"].c_str());
  EXPECT_TRUE(wait >= 1 && wait <= 5) << response.fields["retry-after"];
}

TEST(KeyServiceDownUnderLoad, F20_KnownKeysGoOnAndColdOnesAreToldToComeBack) {
  Fleet fleet({.threads = {1, 2}});
  const std::vector<Key> keys = fleet.make_keys(20);
  const Key cold = fleet.service.create();
  std::vector<std::unique_ptr<Rounds>> rounds;
  for (const auto& proxy : fleet.proxies()) rounds.push_back(std::make_unique<Rounds>(*proxy, keys));
  for (const auto& lane : rounds) EXPECT_TRUE(eventually([&] { return lane->done() >= 3; }));
  fleet.service.kill();
  for (int i = 0; i < 20; ++i) {
    for (const auto& proxy : fleet.proxies()) {
      const auto begin = Clock::now();
      expect_could_not_find_out(ask(proxy->port(), request_with(cold)));
      EXPECT_LE(since(begin), milliseconds(100) + slack);
    }
  }
  const std::size_t before = rounds.front()->done();
  EXPECT_TRUE(eventually([&] { return rounds.front()->done() >= before + 5; }));
  for (const auto& lane : rounds) {
    lane->stop();
    EXPECT_THAT(lane->surprises(), ElementsAre());
    EXPECT_EQ(lane->denied_keys() + lane->cuts(), 0U);
  }
  fleet.service.start();
  fleet.service_relay.aim_at(fleet.service.port());
  // Not remembered, and tried within about a second.
  for (const auto& proxy : fleet.proxies()) {
    EXPECT_TRUE(eventually([&] { return outcome_at(*proxy, cold) == "200 ok"; }, milliseconds(1500) + slack));
  }
}

// A thousand cold keys at once, at a key server that stands still.
TEST(KeyServiceDownUnderLoad, F21_FrozenItCostsColdKeysItsTimeLimitAndKnownOnesNothing) {
  Fleet fleet({.service_timeout = "300ms", .threads = {1}});
  const std::vector<Key> keys = fleet.make_keys(20);
  Rounds rounds(fleet.proxy(0), keys);
  EXPECT_TRUE(eventually([&] { return rounds.done() >= 3; }));
  fleet.service_relay.freeze();
  std::vector<std::unique_ptr<RawClient>> clients;
  const auto begin = Clock::now();
  for (int i = 0; i < 400; ++i) {
    clients.push_back(std::make_unique<RawClient>(fleet.proxy(0).port()));
    clients.back()->send(request_with({"", "kg_nobody" + std::to_string(10000 + i) + "abcdefghijklmnopqrst"}));
  }
  for (const auto& client : clients) expect_could_not_find_out(client->read_response());
  EXPECT_LE(since(begin), milliseconds(300) + seconds(1) + slack);
  fleet.service_relay.let_through();
  rounds.stop();
  EXPECT_THAT(rounds.surprises(), ElementsAre());
  EXPECT_EQ(rounds.denied_keys() + rounds.cuts(), 0U);
  EXPECT_LE(rounds.slowest(), milliseconds(250) + slack) << "who is known was kept waiting";
}

// Records come due while nobody answers: they serve up to the bound all the same, and nobody is kept waiting for long.
TEST(KeyServiceDown, F21_WhatIsKnownServesToTheBoundWhileItStandsStill) {
  Fleet fleet({.staleness_bound = "4s", .threads = {1}});  // of which the last tenth is for renewal
  const std::vector<Key> keys = fleet.make_keys(30);
  fleet.redis.kill();
  const auto begin = Clock::now();
  for (const Key& key : keys) EXPECT_EQ(outcome_at(fleet.proxy(0), key), "200 ok");
  fleet.service_relay.freeze();
  RawClient client(fleet.proxy(0).port());
  while (since(begin) < milliseconds(3900)) {
    for (const Key& key : keys) {
      if (since(begin) >= milliseconds(3900)) break;
      ASSERT_EQ(outcome_of(client.ask(request_with(key))), "200 ok") << "after " << since(begin).count() << " ms";
    }
  }
}

TEST(KeyServiceDown, F20_PastTheBoundNothingIsServed) {
  Fleet fleet({.staleness_bound = "1s", .threads = {1}});
  const Key key = fleet.service.create();
  EXPECT_EQ(outcome_at(fleet.proxy(0), key), "200 ok");
  fleet.service.kill();
  EXPECT_EQ(outcome_at(fleet.proxy(0), key), "200 ok");
  EXPECT_TRUE(
      eventually([&] { return outcome_at(fleet.proxy(0), key) == "503 key_service_unavailable"; }, seconds(1) + slack));
  fleet.upstream.forget();
  EXPECT_EQ(outcome_at(fleet.proxy(0), key), "503 key_service_unavailable");
  EXPECT_EQ(fleet.upstream.bytes(), "");
}

TEST(KeyServiceDown, F20_StaleIfErrorServesWhatWasGoodAndSaysSo) {
  Fleet fleet({.staleness_bound = "1s", .more = "stale_if_error: 60s", .threads = {1}});
  const Key key = fleet.service.create();
  const Key cold = fleet.service.create();
  const Key revoked = fleet.service.create();
  const Key unknown{"", "kg_nobodyknowsthiskey0123456789abcdefghijklmnop"};
  EXPECT_EQ(outcome_at(fleet.proxy(0), revoked), "200 ok");
  EXPECT_TRUE(fleet.service.revoke(revoked.id).is_pushed);
  // Redis has been told, and tells the proxy.
  EXPECT_TRUE(eventually([&] { return outcome_at(fleet.proxy(0), revoked) == "401 revoked_key"; }, seconds(1) + slack));
  EXPECT_EQ(outcome_at(fleet.proxy(0), unknown), "401 invalid_key");
  EXPECT_EQ(outcome_at(fleet.proxy(0), key), "200 ok");
  fleet.service.kill();
  fleet.redis.kill();
  const auto ask_for_it = [&] { return ask(fleet.proxy(0).port(), request_with(key, "/v1/late")).body; };
  EXPECT_EQ(ask_for_it(), identity_of(key)) << "within the bound nothing is said";
  EXPECT_TRUE(eventually([&] { return ask_for_it() == identity_of(key) + ", degraded"; }, seconds(1) + slack));
  const auto is_marked = [](const boost::json::object& line) { return text_of(line, "degraded") == "true"; };
  EXPECT_EQ(text_of(fleet.proxy(0).wait_for_log(is_marked), "code"), "ok");
  EXPECT_EQ(outcome_at(fleet.proxy(0), cold), "503 key_service_unavailable");
  EXPECT_THAT(outcome_at(fleet.proxy(0), revoked), testing::AnyOf("503 key_service_unavailable", "401 revoked_key"));
  EXPECT_THAT(outcome_at(fleet.proxy(0), unknown), testing::AnyOf("503 key_service_unavailable", "401 invalid_key"));
}

// Connections to both are kept up, whoever else has gone; those are no reason to stay.
TEST(KeyServiceDown, F62_AProxyThatKeepsConnectionsUpStopsAtOnce) {
  Fleet fleet({.threads = {2}});
  EXPECT_EQ(outcome_at(fleet.proxy(0), fleet.service.create()), "200 ok");
  const auto begin = Clock::now();
  fleet.stop(0);
  EXPECT_LE(since(begin), seconds(1) + slack);
  EXPECT_EQ(fleet.proxy(0).errors().find("ending without it"), std::string::npos) << fleet.proxy(0).errors();
}

TEST(KeyServiceDownUnderLoad, F26_ItComesBackToManyWhoWaitAndAllAreServedWithinFiveSeconds) {
  Fleet fleet({.threads = {1}});
  const std::vector<Key> keys = fleet.make_keys(200);
  fleet.service.kill();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(outcome_at(fleet.proxy(0), keys[0]), "503 key_service_unavailable");
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < keys.size(); ++i) clients.push_back(std::make_unique<RawClient>(fleet.proxy(0).port()));
  fleet.service.start();
  fleet.service_relay.aim_at(fleet.service.port());
  const auto begin = Clock::now();
  std::vector<std::size_t> waiting;
  for (std::size_t i = 0; i < keys.size(); ++i) waiting.push_back(i);
  EXPECT_TRUE(eventually(
      [&] {
        for (const std::size_t i : waiting) clients[i]->send(request_with(keys[i]));
        std::erase_if(waiting, [&](std::size_t i) {
          const std::string outcome = outcome_of(clients[i]->read_response());
          EXPECT_THAT(outcome, testing::AnyOf("200 ok", "503 key_service_unavailable"));
          return outcome == "200 ok";
        });
        return waiting.empty();
      },
      seconds(5) + slack))
      << waiting.size() << " of them wait still";
  EXPECT_LE(since(begin), seconds(5) + slack);
}

}  // namespace
}  // namespace keygate::test
