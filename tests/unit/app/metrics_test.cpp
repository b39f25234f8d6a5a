#include "app/metrics.hpp"

#include <gmock/gmock.h>

#include <string>

namespace keygate::app {
namespace {

using policy::Reason;
using testing::HasSubstr;
using testing::Not;

proxy::RouteTally tally(const std::string& name) {
  proxy::RouteTally made;
  made.name = name;
  made.times.emplace();
  return made;
}

std::uint64_t& of(proxy::RouteTally& route, Reason reason) { return route.by_reason[static_cast<std::size_t>(reason)]; }

std::string text_of(const std::vector<proxy::WorkerFigures>& workers, const ServerFigures& server = {}) {
  return metrics_text(total_of(workers), server, {});
}

// Dashboards and alerts are written against these.
TEST(MetricsText, HasTheNamesThatAreDocumented) {
  std::vector<proxy::WorkerFigures> workers(1);
  auto route = tally("r");
  of(route, Reason::ok) = 1;
  route.times->add(std::chrono::milliseconds(1));
  route.shadowed[static_cast<std::size_t>(Reason::invalid_key)] = 1;
  workers[0].routes.push_back(std::move(route));
  workers[0].upstreams["app"].add(std::chrono::milliseconds(1));
  workers[0].auth[1].add(std::chrono::microseconds(1));
  workers[0].dependencies.has_redis = workers[0].dependencies.has_service = true;
  const std::string text = text_of(workers, {.on_loopback = {{"app", "10.0.0.5:3000"}, {"other"}}});
  for (const char* const line : {R"(keygate_requests_total{route="r",code="ok"} 1)",
                                 R"(keygate_request_duration_seconds_count{route="r"} 1)",
                                 R"(keygate_auth_duration_seconds_bucket{source="memory",le="1e-06"} 1)",
                                 R"(keygate_upstream_duration_seconds_count{upstream="app"} 1)",
                                 R"(keygate_key_lookups_total{source="memory",result="hit"} 0)",
                                 "keygate_redis_up 0",
                                 "keygate_key_service_up 0",
                                 R"(keygate_breaker_state{dependency="redis"} 0)",
                                 R"(keygate_breaker_state{dependency="key_service"} 0)",
                                 "keygate_cached_keys 0",
                                 R"(keygate_connections{side="client"} 0)",
                                 R"(keygate_connections{side="upstream"} 0)",
                                 R"(keygate_shadow_denied_total{route="r",code="invalid_key"} 1)",
                                 "keygate_shadow_routes 0",
                                 R"(keygate_upstream_exposed{upstream="app"} 1)",
                                 R"(keygate_upstream_exposed{upstream="other"} 0)",
                                 "keygate_revocation_bound_seconds 0",
                                 "keygate_revocations_received_total 0",
                                 "keygate_config_generation 1",
                                 "keygate_config_last_reload_successful 1",
                                 "keygate_build_info{version=\"",
                                 "process_cpu_seconds_total 0"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(MetricsText, SumsOverWorkers) {
  std::vector<proxy::WorkerFigures> workers(2);
  for (auto& worker : workers) {
    auto route = tally("r");
    of(route, Reason::ok) = 2;
    worker.routes.push_back(std::move(route));
    worker.clients = 3;
    worker.dependencies.has_redis = worker.dependencies.is_redis_up = true;
    worker.dependencies.revocations = 5;
  }
  workers[1].dependencies.is_redis_up = false;
  workers[1].dependencies.redis_breaker = keys::BreakerState::open;
  const std::string text = text_of(workers);
  EXPECT_THAT(text, HasSubstr(R"(keygate_requests_total{route="r",code="ok"} 4)"));
  EXPECT_THAT(text, HasSubstr(R"(keygate_connections{side="client"} 6)"));
  EXPECT_THAT(text, HasSubstr("keygate_redis_up 0\n")) << "a worker that cannot ask is one too many";
  EXPECT_THAT(text, HasSubstr(R"(keygate_breaker_state{dependency="redis"} 2)"));
  EXPECT_THAT(text, HasSubstr("keygate_revocations_received_total 5\n")) << "every worker hears the same ones";
}

TEST(MetricsText, HasOneSeriesForTwoReasonsOfOneCode) {
  std::vector<proxy::WorkerFigures> workers(1);
  auto none = tally(std::string(proxy::no_route_name));
  of(none, Reason::no_route) = 1;
  of(none, Reason::no_route_as_404) = 2;
  workers[0].routes.push_back(std::move(none));
  EXPECT_THAT(text_of(workers), HasSubstr(R"x(keygate_requests_total{route="(none)",code="no_route"} 3)x"));
}

TEST(MetricsText, EscapesWhatAPolicyCallsItsRoutes) {
  std::vector<proxy::WorkerFigures> workers(1);
  auto route = tally("a\"b\\c\nd");
  of(route, Reason::ok) = 1;
  workers[0].routes.push_back(std::move(route));
  EXPECT_THAT(text_of(workers), HasSubstr(R"(route="a\"b\\c\nd")"));
}

TEST(MetricsText, SaysNothingOfADependencyThatIsNotThere) {
  const std::string text = text_of(std::vector<proxy::WorkerFigures>(1));
  EXPECT_THAT(text, Not(HasSubstr("keygate_redis_up")));
  EXPECT_THAT(text, Not(HasSubstr("keygate_breaker_state")));
}

TEST(ProcessFacts, AreThoseOfThisProcess) {
  const ProcessFacts facts = process_facts();
  EXPECT_GT(facts.resident_bytes, 100'000U);
  EXPECT_GE(facts.virtual_bytes, facts.resident_bytes);
  EXPECT_GE(facts.open_descriptors, 3U);
  EXPECT_GE(facts.max_descriptors, facts.open_descriptors);
  EXPECT_GE(facts.threads, 1U);
  EXPECT_GT(facts.start_time_seconds, 1.5e9);
}

}  // namespace
}  // namespace keygate::app
