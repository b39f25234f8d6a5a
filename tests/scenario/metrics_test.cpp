// What a scrape of /metrics says, and what no client can make it say.
#include "tests/support/scenario.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

using Samples = std::map<std::string, double>;  // by name and labels, as they are written

class Metrics : public Scenario {
 protected:
  std::string text() const {
    const Response response =
        test::ask(keygate.health_port(), "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(response.status, 200);
    return response.body;
  }

  Samples samples() const {
    Samples out;
    std::istringstream lines(text());
    for (std::string line; std::getline(lines, line);) {
      if (line.empty() || line.front() == '#') continue;
      const auto blank = line.rfind(' ');
      EXPECT_TRUE(out.emplace(line.substr(0, blank), std::stod(line.substr(blank + 1))).second) << "twice: " << line;
    }
    return out;
  }

  std::set<std::string> series() const {
    std::set<std::string> names;
    for (const auto& [name, value] : samples()) names.insert(name);
    return names;
  }

  // An exchange is counted when its end has been noticed, which may be after the client has its answer.
  bool has_counted(double requests) const {
    return eventually([&] {
      double all = 0;
      for (const auto& [name, count] : samples()) all += name.starts_with("keygate_requests_total") ? count : 0;
      return all >= requests;
    });
  }

  double value(const std::string& name) const {
    const Samples all = samples();
    const auto found = all.find(name);
    return found == all.end() ? -1 : found->second;
  }
};

TEST_F(Metrics, SayHowRequestsEnded) {
  start({.threads = 2});
  expect_granted(request_to("/v1/x", k1.bearer()));
  expect_granted(request_to("/v1/x", k1.bearer()));
  expect_denied(request_to("/v1/x"), {401, "missing_credential"});
  expect_denied(request_to("/nowhere"), {403, "no_route"});
  ASSERT_TRUE(has_counted(4));
  const Samples all = samples();
  EXPECT_EQ(all.at(R"(keygate_requests_total{route="v1",code="ok"})"), 2);
  EXPECT_EQ(all.at(R"(keygate_requests_total{route="v1",code="missing_credential"})"), 1);
  EXPECT_EQ(all.at(R"x(keygate_requests_total{route="(none)",code="no_route"})x"), 1);
  EXPECT_EQ(all.at(R"(keygate_request_duration_seconds_count{route="v1"})"), 3);
  EXPECT_EQ(all.at(R"(keygate_upstream_duration_seconds_count{upstream="default"})"), 2);
  EXPECT_EQ(all.at(R"(keygate_revocation_bound_seconds)"), 60);
  EXPECT_EQ(all.at(R"(keygate_config_generation)"), 1);
  EXPECT_EQ(all.at(R"(keygate_config_last_reload_successful)"), 1);
  EXPECT_EQ(all.at(R"(keygate_shadow_routes)"), 0);
  EXPECT_GE(all.at(R"(keygate_key_lookups_total{source="store",result="valid"})"), 1);
  EXPECT_GE(all.at(R"(keygate_cached_keys)"), 1);
  EXPECT_GT(all.at("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(all.at("process_start_time_seconds"), 1.5e9);
  EXPECT_GT(all.at("process_open_fds"), 5);
  double judged = 0;
  for (const auto& [name, count] : all) judged += name.starts_with("keygate_auth_duration_seconds_count") ? count : 0;
  EXPECT_EQ(judged, 4);
}

TEST_F(Metrics, SayWhetherTheLastReloadWasTaken) {
  start();
  keygate.rewrite_policy("routes: [{name: broken}]\n");
  EXPECT_TRUE(eventually([&] { return value("keygate_config_last_reload_successful") == 0; }));
  EXPECT_EQ(value("keygate_config_generation"), 1);
  keygate.rewrite_policy(std::string(standard_policy) + "\n");
  EXPECT_TRUE(eventually([&] { return value("keygate_config_last_reload_successful") == 1; }));
  EXPECT_EQ(value("keygate_config_generation"), 2);
}

TEST_F(Metrics, CountRevocationsThatReachThisProcess) {
  start();
  expect_granted(request_to("/v1/x", k1.bearer()));
  const double before = value("keygate_revocations_received_total");
  keygate.revoke_key(k1.id);
  EXPECT_TRUE(eventually([&] { return value("keygate_revocations_received_total") > before; }));
}

TEST_F(Metrics, SayHowRedisAndTheKeyServiceAre) {
  // Nobody listens on port 9, the service of old that discards.
  start_without_keys(
      {.resolution = "{redis: {url: \"redis://127.0.0.1:9\"}, service: {url: \"http://127.0.0.1:9/v\"}}"});
  for (int i = 0; i < 8; ++i) {
    expect_denied(request_to("/v1/x", "Authorization: Bearer kg_0000000000000000000000000000000000000" +
                                          std::to_string(i) + "\r\n"),
                  {503, "key_service_unavailable"});
  }
  ASSERT_TRUE(has_counted(8));
  const Samples all = samples();
  EXPECT_EQ(all.at("keygate_redis_up"), 0);
  EXPECT_EQ(all.at("keygate_revocation_push_up"), 0);
  EXPECT_EQ(all.at("keygate_key_service_up"), 0);
  EXPECT_GE(all.at(R"(keygate_breaker_state{dependency="key_service"})"), 1);
  EXPECT_GE(all.at(R"(keygate_key_lookups_total{source="service",result="unavailable"})"), 5);
}

// No label holds what a client can invent.
TEST_F(Metrics, GetNoNewSeriesFromWhatClientsInvent) {
  start({.threads = 2});
  const auto spray = [&](int number) {
    const std::string word = "spray" + std::to_string(number);
    ask(request_to("/v1/" + word, k1.bearer()));
    ask(request_to("/v1/x?" + word, "Authorization: Bearer kg_" + word + "\r\n"));
    ask(request_to("/" + word, "X-" + word + ": 1\r\n"));
    ask(request_to("/public/" + word, "User-Agent: " + word + "\r\n"));
    ask("GET /v1/x HTTP/1.1\r\nHost: " + word + ".example\r\n\r\n");
    ask("SPRAY" + std::to_string(number) + " /v1/x HTTP/1.1\r\nHost: a\r\n\r\n");
    ask("GET /%2e%2e/" + word + " HTTP/1.1\r\nHost: a\r\n\r\n");
    ask("GET /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: " + word + "\r\n\r\n");
  };
  for (int round = 0; round < 5; ++round) spray(0);  // so that either worker has met all of it, from memory too
  ASSERT_TRUE(has_counted(5 * 8));
  const std::set<std::string> before = series();
  for (int number = 1; number < 25; ++number) spray(number);
  ASSERT_TRUE(has_counted(29 * 8));
  const std::set<std::string> after = series();
  std::vector<std::string> added;
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(), std::back_inserter(added));
  for (const std::string& name : added) ADD_FAILURE() << "a series that came with the spray: " << name;
  EXPECT_EQ(text().find("spray"), std::string::npos);
  EXPECT_EQ(text().find("SPRAY"), std::string::npos);
}

TEST_F(Metrics, ServeOnTheHealthListenerAlone) {
  start();
  expect_denied(request_to("/metrics", k1.bearer()), {403, "no_route"});
  const Response head =
      test::ask(keygate.health_port(), "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(head.status, 405);
}

TEST_F(Metrics, AreCleanToPromtool) {
  if (run({{"sh", "-c", "command -v promtool"}, {}, "", ""}).status.code != 0) {
    GTEST_SKIP() << "promtool is missing: apt-get install prometheus";
  }
  start();
  expect_granted(request_to("/v1/x", k1.bearer()));
  expect_denied(request_to("/v1/x"), {401, "missing_credential"});
  const Finished checked = run({{"promtool", "check", "metrics"}, {}, "", text()});
  EXPECT_EQ(checked.status.code, 0) << checked.errors << checked.output;
  EXPECT_EQ(checked.errors, "");
}

}  // namespace
}  // namespace keygate::test
