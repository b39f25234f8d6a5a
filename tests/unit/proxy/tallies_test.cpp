#include "proxy/tallies.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace keygate::proxy {
namespace {

using policy::Reason;

std::shared_ptr<const policy::Policy> policy_of(const std::vector<std::string>& names) {
  auto made = std::make_shared<policy::Policy>();
  for (const std::string& name : names) {
    auto route = std::make_unique<policy::Route>();
    route->number = made->routes.size();
    route->name = name;
    made->routes.push_back(std::move(route));
  }
  return made;
}

std::vector<std::string> numbered(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back("route-" + std::to_string(i));
  return names;
}

telemetry::Outcome outcome_of(std::int32_t route, Reason reason) {
  telemetry::Outcome outcome;
  outcome.route_number = route;
  outcome.reason_number = static_cast<std::uint8_t>(reason);
  outcome.duration = std::chrono::milliseconds(1);
  return outcome;
}

const RouteTally* find(const std::vector<RouteTally>& all, std::string_view name) {
  const auto found = std::find_if(all.begin(), all.end(), [name](const RouteTally& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::uint64_t count(const RouteTally* tally, Reason reason) {
  return tally == nullptr ? 0 : tally->by_reason[static_cast<std::size_t>(reason)];
}

TEST(Tallies, HaveRoomForEveryReason) { EXPECT_LE(policy::reasons().size(), RouteTally::max_reasons); }

TEST(Tallies, CountByRouteAndReason) {
  Tallies tallies;
  const auto routes = tallies.begin(policy_of({"a", "b"}));
  tallies.note(*routes, outcome_of(1, Reason::ok));
  tallies.note(*routes, outcome_of(1, Reason::invalid_key));
  tallies.note(*routes, outcome_of(1, Reason::invalid_key));
  tallies.note(*routes, outcome_of(-1, Reason::no_route));
  const auto all = tallies.routes();
  EXPECT_EQ(find(all, "a"), nullptr) << "nobody asked for it";
  EXPECT_EQ(count(find(all, "b"), Reason::ok), 1U);
  EXPECT_EQ(count(find(all, "b"), Reason::invalid_key), 2U);
  EXPECT_EQ(count(find(all, no_route_name), Reason::no_route), 1U);
  EXPECT_EQ(find(all, "b")->times->total(), 3U);
}

TEST(Tallies, GoOnOverAReloadThatMovesARoute) {
  Tallies tallies;
  const auto before = tallies.begin(policy_of({"a", "b"}));
  tallies.note(*before, outcome_of(1, Reason::ok));
  const auto after = tallies.begin(policy_of({"b"}));
  tallies.note(*after, outcome_of(0, Reason::ok));
  tallies.note(*before, outcome_of(1, Reason::ok));  // one that was still under way
  EXPECT_EQ(count(find(tallies.routes(), "b"), Reason::ok), 3U);
}

TEST(Tallies, ForgetRoutesThatAreGone) {
  Tallies tallies;
  for (int i = 0; i < 100; ++i) {
    const auto routes = tallies.begin(policy_of({"route-" + std::to_string(i)}));
    tallies.note(*routes, outcome_of(0, Reason::ok));
  }
  EXPECT_LE(tallies.routes().size(), 2U);
}

TEST(Tallies, KeepAHistogramForTheFirstRoutesAlone) {
  Tallies tallies;
  const auto routes = tallies.begin(policy_of(numbered(Tallies::max_timed_routes + 2)));
  for (std::size_t i = 0; i < Tallies::max_timed_routes + 2; ++i) {
    tallies.note(*routes, outcome_of(static_cast<std::int32_t>(i), Reason::ok));
  }
  const auto all = tallies.routes();
  EXPECT_EQ(std::count_if(all.begin(), all.end(), [](const RouteTally& one) { return one.times.has_value(); }),
            static_cast<std::ptrdiff_t>(Tallies::max_timed_routes + 1));
  EXPECT_EQ(find(all, other_routes_name)->times->total(), 2U);
  EXPECT_EQ(count(find(all, "route-501"), Reason::ok), 1U);
}

TEST(Tallies, TimeWhatWasJudgedByItsSource) {
  Tallies tallies;
  const auto routes = tallies.begin(policy_of({"a"}));
  telemetry::Outcome outcome = outcome_of(0, Reason::ok);
  tallies.note(*routes, outcome);  // refused before anybody was asked
  outcome.was_judged = true;
  outcome.auth = std::chrono::microseconds(3);
  for (const std::string_view source : {"memory", "redis", "store", "service", "service", ""}) {
    outcome.source = source;
    tallies.note(*routes, outcome);
  }
  const std::array<std::uint64_t, 5> expected{1, 1, 1, 1, 2};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(tallies.auth()[i].total(), expected[i]) << Tallies::source_names[i];
  }
}

TEST(Tallies, CountWhatShadowModeLetThrough) {
  Tallies tallies;
  const auto routes = tallies.begin(policy_of({"a"}));
  telemetry::Outcome outcome = outcome_of(0, Reason::ok);
  outcome.is_shadowed = true;
  outcome.shadow_number = static_cast<std::uint8_t>(Reason::insufficient_scope);
  tallies.note(*routes, outcome);
  const auto all = tallies.routes();
  EXPECT_EQ(count(find(all, "a"), Reason::ok), 1U);
  EXPECT_EQ(find(all, "a")->shadowed[static_cast<std::size_t>(Reason::insufficient_scope)], 1U);
}

}  // namespace
}  // namespace keygate::proxy
