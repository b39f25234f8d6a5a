#include "policy/cors.hpp"
#include "policy/policy.hpp"
#include "tests/unit/policy/builders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keygate::policy {
namespace {

using testing::compiled;
using ::testing::ElementsAre;
using testing::keyed;
using testing::rendered;
using testing::RouteBuilder;
using testing::settings_with;
using testing::text;

std::vector<std::string> faults(const RouteBuilder& route) {
  return rendered(compile(settings_with({route})).problems);
}

struct BadOrigin {
  std::string name, origin, answer;
};

class CorsOrigin : public ::testing::TestWithParam<BadOrigin> {};

TEST_P(CorsOrigin, IsTheOneThatABrowserSends) {
  EXPECT_THAT(faults(keyed("a", "/a").cors({GetParam().origin})),
              ElementsAre("policy.yaml:20:1: routes[0].cors.origins: " + GetParam().answer));
}

const std::vector<BadOrigin> bad_origins{
    {"WithAPath", "https://a.example/",
     "\"https://a.example/\" goes on behind the host, and an origin ends there; write "
     "\"https://a.example\""},
    {"WithAQuery", "https://a.example?x",
     "\"https://a.example?x\" goes on behind the host, and an origin ends there; "
     "write \"https://a.example\""},
    {"WithoutAScheme", "a.example",
     "\"a.example\" is not an origin; write it with its scheme, as in https://app.example.com"},
    {"InUpperCase", "https://A.example",
     "browsers send \"https://A.example\" in lower case; write \"https://a.example\""},
    {"WithItsOwnPort", "https://a.example:443",
     "browsers leave out the port in \"https://a.example:443\"; write \"https://a.example\""},
    {"WithThePortOfHttp", "http://a.example:80",
     "browsers leave out the port in \"http://a.example:80\"; write \"http://a.example\""},
    {"OfNobody", "null",
     "\"null\" is the origin of every sandboxed frame and local file, so of anybody; name the page's own origin"},
    {"AsAPattern", "https://*.example.com",
     "\"https://*.example.com\" is a pattern, and origins are exact; list each origin"},
    {"WithAUser", "https://u@a.example",
     "\"https://u@a.example\" has no host in the form that browsers send; write https://app.example.com"},
    {"WithADot", "https://a.example.",
     "\"https://a.example.\" has no host in the form that browsers send; write https://app.example.com"},
    {"WithoutAHost", "https://",
     "\"https://\" has no host in the form that browsers send; write https://app.example.com"},
    {"WithAnEmptyPort", "https://a.example:",
     "\"https://a.example:\" has no host in the form that browsers send; write https://app.example.com"},
    {"WithANameForAPort", "https://a.example:x",
     "\"https://a.example:x\" has no host in the form that browsers send; write https://app.example.com"},
    {"WithAZeroBeforeThePort", "https://a.example:08443",
     "\"https://a.example:08443\" is not an origin; write https://app.example.com, or with :8443 behind it"},
};

INSTANTIATE_TEST_SUITE_P(Table, CorsOrigin, ::testing::ValuesIn(bad_origins),
                         [](const auto& row) { return row.param.name; });

TEST(Cors, TakesOriginsAsBrowsersSendThem) {
  for (const char* const origin :
       {"https://app.example.com", "http://localhost:3000", "https://a.example:8443", "http://[::1]:3000",
        "capacitor://localhost", "https://xn--bcher-kva.example", "http://127.0.0.1", "http://a.example:443"}) {
    EXPECT_THAT(faults(keyed("a", "/a").cors({origin})), ElementsAre()) << origin;
  }
}

TEST(Cors, RefusesWhatWouldLetEverybodyAct) {
  EXPECT_THAT(
      faults(keyed("a", "/a").cors({"*"}, true)),
      ElementsAre("policy.yaml:20:1: routes[0].cors.origins: every page there is could act as whoever is signed "
                  "in; list the origins, or leave out credentials"));
  EXPECT_THAT(faults(keyed("a", "/a").cors({"https://a.example", "*"})),
              ElementsAre("policy.yaml:20:1: routes[0].cors.origins: \"*\" says it for all of them; leave out the "
                          "others"));
  EXPECT_THAT(faults(keyed("a", "/a").cors({"https://a.example", "https://a.example"})),
              ElementsAre("policy.yaml:20:1: routes[0].cors.origins: \"https://a.example\" is listed twice"));
}

TEST(Cors, RefusesMethodsAndHeadersThatCannotBe) {
  const auto with = [](const std::function<void(config::CorsDocument&)>& change) {
    auto route = keyed("a", "/a").methods({"GET", "POST"}).cors({"https://a.example"}, true);
    return faults(route.with([&](config::RouteDocument& document) { change(*document.cors); }));
  };
  EXPECT_THAT(with([](auto& cors) { cors.methods = {text("GET"), text("HEAD"), text("POST")}; }), ElementsAre());
  EXPECT_THAT(
      with([](auto& cors) { cors.methods = {text("DELETE", 21)}; }),
      ElementsAre("policy.yaml:21:1: routes[0].cors.methods: the route does not have the method DELETE; list it "
                  "under match.methods, or leave it out here"));
  EXPECT_THAT(with([](auto& cors) { cors.methods = {text("get", 21)}; }),
              ElementsAre("policy.yaml:21:1: routes[0].cors.methods: unknown method \"get\""));
  EXPECT_THAT(with([](auto& cors) { cors.headers = {text("X Y", 21)}; }),
              ElementsAre("policy.yaml:21:1: routes[0].cors.headers: \"X Y\" is not a header name"));
  EXPECT_THAT(with([](auto& cors) { cors.expose = {text("a\r\nb", 21)}; }), ::testing::SizeIs(1));
  EXPECT_THAT(with([](auto& cors) { cors.headers = {text("*", 21)}; }),
              ElementsAre("policy.yaml:21:1: routes[0].cors.headers: with credentials: true, browsers take \"*\" for a "
                          "name; list the headers"));
}

TEST(Cors, HasItsLinesReady) {
  auto route = keyed("a", "/a").cors({"https://a.example", "https://b.example"}, true);
  const auto policy = compiled(settings_with({route.with([](config::RouteDocument& document) {
    document.cors->headers = {text("authorization"), text("content-type")};
    document.cors->expose = {text("x-request-id")};
    document.cors->max_age = std::chrono::minutes(10);
  })}));
  const Cors& cors = *policy->routes[0]->cors;
  const auto* const origin = cors.find("https://b.example");
  ASSERT_NE(origin, nullptr);
  EXPECT_EQ(origin->lines,
            "Access-Control-Allow-Origin: https://b.example\r\nAccess-Control-Allow-Credentials: true\r\n"
            "Access-Control-Expose-Headers: x-request-id\r\nVary: Origin\r\n");
  EXPECT_EQ(origin->preflight_lines,
            "Access-Control-Allow-Origin: https://b.example\r\nAccess-Control-Allow-Credentials: true\r\n"
            "Access-Control-Allow-Headers: authorization, content-type\r\nAccess-Control-Max-Age: 600\r\n");
  EXPECT_EQ(cors.find("https://c.example"), nullptr);
  EXPECT_EQ(cors.find(""), nullptr);
}

}  // namespace
}  // namespace keygate::policy
