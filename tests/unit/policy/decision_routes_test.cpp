// What a policy may not say where another proxy serves, and only asks.
#include "tests/unit/policy/builders.hpp"

#include <gmock/gmock.h>

namespace keygate::policy::testing {
namespace {

using config::DecisionDialect;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> problems(const std::vector<config::RouteDocument>& routes,
                                  std::optional<DecisionDialect> decides) {
  config::Settings settings = settings_with(routes);
  settings.upstreams.emplace_back().name = "sandbox";
  settings.listeners.emplace_back();
  config::ListenerSettings& asked = settings.listeners.emplace_back();
  asked.port = 8090;
  asked.decides = decides;
  asked.where = at(4);
  return rendered(compile(settings).problems);
}

std::vector<std::string> problems(const config::RouteDocument& route, std::optional<DecisionDialect> decides) {
  return problems(std::vector<config::RouteDocument>{route}, decides);
}

TEST(DecisionRoutes, C13_DoNotGrantATestKeyWhereTheLiveUpstreamServes) {
  const config::RouteDocument both = keyed("a", "/a").live("app").test("sandbox");
  EXPECT_THAT(problems(both, std::nullopt), IsEmpty());
  for (const auto dialect : {DecisionDialect::nginx, DecisionDialect::forwarded, DecisionDialect::envoy}) {
    EXPECT_THAT(problems(both, dialect),
                ElementsAre("policy.yaml:19:1: routes[0].upstream: a test key would reach \"app\", as who asks at "
                            "127.0.0.1:8090 for decisions sends both kinds of key to one place; write environment: "
                            "live under require, or have a Keygate without such a listener forward"));
  }
}

TEST(DecisionRoutes, C13_MayBeOfOneEnvironmentOrOfOnePlace) {
  for (const config::RouteDocument& route : std::vector<config::RouteDocument>{
           keyed("a", "/a").live("app").test("app"), keyed("a", "/a").upstream("app"),
           keyed("a", "/a").live("app").test("sandbox").environment("live"), keyed("a", "/a").live("app"),
           keyed("a", "/a").upstream("app").environment("test")}) {
    EXPECT_THAT(problems(route, DecisionDialect::forwarded), IsEmpty());
  }
}

// Each names one, and it is for the proxy to keep them apart.
TEST(DecisionRoutes, C13_OfTwoEnvironmentsInTwoPlacesAreWarnedOf) {
  const auto test = keyed("try", "/try").upstream("sandbox").environment("test");
  const auto live = keyed("real", "/real").upstream("app").environment("live");
  const auto warning = ElementsAre(
      "policy.yaml:4:1: warning: listeners: test keys are for \"sandbox\" by the route \"try\", and \"app\" serves the "
      "route \"real\": who asks at 127.0.0.1:8090 is told of neither, and sends both where its own rules say; "
      "have those part the two by host or path as the routes do, never by the key");
  EXPECT_THAT(problems({test, live}, DecisionDialect::nginx), warning);
  EXPECT_THAT(problems({live, test}, DecisionDialect::envoy), warning);
  EXPECT_THAT(problems({test, keyed("real", "/real").live("app")}, DecisionDialect::nginx), warning);
  EXPECT_THAT(problems({test, live}, std::nullopt), IsEmpty());
}

TEST(DecisionRoutes, C13_InOnePlaceOrOfOneEnvironmentAreNot) {
  const auto live = keyed("real", "/real").upstream("app").environment("live");
  for (const auto& other :
       std::vector<config::RouteDocument>{keyed("try", "/try").upstream("app").environment("test"),
                                          keyed("more", "/more").upstream("sandbox").environment("live"),
                                          keyed("open", "/open").upstream("sandbox")}) {
    EXPECT_THAT(problems({live, other}, DecisionDialect::nginx), IsEmpty());
  }
}

TEST(DecisionRoutes, ForSomeHostsNeedNginxToSayWhichIsMeant) {
  const config::RouteDocument route = keyed("a", "/a").hosts({"api.example.com"}).upstream("app");
  EXPECT_THAT(problems(route, DecisionDialect::nginx),
              ElementsAre(HasSubstr("the route \"a\" is for some hosts, and nginx asks in the name of its own upstream "
                                    "unless it is told not to; have proxy_set_header Host $host;")));
  for (const auto dialect : {DecisionDialect::forwarded, DecisionDialect::envoy}) {
    EXPECT_THAT(problems(route, dialect), IsEmpty());
  }
  EXPECT_THAT(problems(route, std::nullopt), IsEmpty());
  EXPECT_THAT(problems(keyed("a", "/a").upstream("app"), DecisionDialect::nginx), IsEmpty());
}

TEST(DecisionRoutes, ForSomeHostsAreNoFault) {
  config::Settings settings = settings_with({keyed("a", "/a").hosts({"api.example.com"})});
  settings.listeners.emplace_back().decides = DecisionDialect::nginx;
  EXPECT_NE(compile(settings).policy, nullptr);
}

}  // namespace
}  // namespace keygate::policy::testing
