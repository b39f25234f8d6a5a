#include "policy/policy.hpp"
#include "tests/unit/policy/builders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace keygate::policy {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::keyed;
using testing::open_route;
using testing::rendered;
using testing::RouteBuilder;
using testing::settings_with;

std::vector<std::string> faults_of(const RouteBuilder& route, bool on_socket = false, bool reads_proxy_header = false) {
  auto settings = settings_with({route});
  settings.listeners.clear();
  settings.listeners.emplace_back();
  if (on_socket) settings.listeners.back().socket = "/run/k.sock";
  settings.listeners.back().proxy_protocol = reads_proxy_header;
  return rendered(compile(settings).problems);
}

TEST(CompileLimits, ARouteHasThoseThatWereWritten) {
  const auto policy = testing::compiled(
      settings_with({keyed("a", "/a").limit(600, 1min, {"key"}).limit(10, 24h, {"organization", "ip"})}));
  const auto& limits = policy->routes.front()->limits;
  ASSERT_EQ(limits.size(), 2U);
  EXPECT_EQ(limits[0], (RateLimit{600, 60s, {.key = true}}));
  EXPECT_EQ(limits[1], (RateLimit{10, 24h, {.organization = true, .address = true}}));
  EXPECT_TRUE(limits[1].is_daily());
}

TEST(CompileLimits, FaultsAreToldWhereTheyStand) {
  EXPECT_THAT(faults_of(keyed("a", "/a").limit(20'000, 1s, {"key"})),
              ElementsAre("policy.yaml:20:1: routes[0].rate_limit: no more than 10000 requests a second are counted"));
  EXPECT_THAT(faults_of(keyed("a", "/a").limit(1, 1500ms, {"key"})),
              ElementsAre("policy.yaml:20:1: routes[0].rate_limit: a window is whole seconds"));
  EXPECT_THAT(faults_of(keyed("a", "/a").limit(1, 1s, {"key", "key"})),
              ElementsAre("policy.yaml:20:1: routes[0].rate_limit.per: \"key\" stands there twice"));
  EXPECT_THAT(faults_of(keyed("a", "/a").limit(1, 1min, {"key"}).limit(2, 1min, {"key"})),
              ElementsAre("policy.yaml:20:1: routes[0].rate_limit[1]: is a second limit of the same window per the "
                          "same; keep the tighter of the two"));
}

TEST(CompileLimits, AddressesAreNotCountedWhereClientsHaveNone) {
  const std::string hint = "; write proxy_protocol: true for that listener, or listen on a TCP port";
  EXPECT_THAT(faults_of(keyed("a", "/a").limit(1, 1s, {"ip"}), true),
              ElementsAre("policy.yaml:20:1: routes[0].rate_limit: counts client addresses, and clients of "
                          "unix:/run/k.sock have none" +
                          hint));
  EXPECT_THAT(faults_of(open_route("a", "/a").limit(1, 1s, {"key"}), true),
              ElementsAre("policy.yaml:20:1: routes[0].rate_limit: counts by address who comes without a key, and "
                          "clients of unix:/run/k.sock have none" +
                          hint));
  EXPECT_THAT(faults_of(keyed("a", "/a").limit(1, 1s, {"ip"}), true, true), IsEmpty());
  EXPECT_THAT(faults_of(keyed("a", "/a").limit(1, 1s, {"key"}), true), IsEmpty());
  EXPECT_THAT(faults_of(open_route("a", "/a").limit(1, 1s, {"ip"})), IsEmpty());
}

}  // namespace
}  // namespace keygate::policy
