#include "proxy/cross_origin.hpp"

#include "tests/unit/proxy/forwarder.hpp"
#include "tests/unit/proxy/responses.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keygate::proxy {
namespace {

using policy::testing::keyed;
using policy::testing::open_route;
using testing::HeadText;
using testing::response_with;
using testing::ResponseText;

std::string head(const std::string& method, const std::string& path, const std::string& fields) {
  return method + " " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

const std::string asks_get = "Origin: https://a.example\r\nAccess-Control-Request-Method: GET\r\n";

struct Row {
  std::string name, method, fields;
  bool is_preflight;
};

class PreflightTable : public ::testing::TestWithParam<Row> {};

TEST_P(PreflightTable, IsToldFromOtherRequests) {
  const HeadText text(head(GetParam().method, "/", GetParam().fields));
  EXPECT_EQ(preflight_of(text.head()).has_value(), GetParam().is_preflight);
}

const std::vector<Row> rows{
    {"Whole", "OPTIONS", asks_get, true},
    {"InAnyCase", "OPTIONS", "ORIGIN: https://a.example\r\naccess-control-request-method: DELETE\r\n", true},
    {"OfANullOrigin", "OPTIONS", "Origin: null\r\nAccess-Control-Request-Method: GET\r\n", true},
    {"WithAnotherMethod", "GET", asks_get, false},
    {"WithoutOrigin", "OPTIONS", "Access-Control-Request-Method: GET\r\n", false},
    {"WithoutMethod", "OPTIONS", "Origin: https://a.example\r\n", false},
    {"WithAnEmptyOrigin", "OPTIONS", "Origin:\r\nAccess-Control-Request-Method: GET\r\n", false},
    {"OfTwoOrigins", "OPTIONS", "Origin: https://b.example\r\n" + asks_get, false},
    {"OfTwoMethods", "OPTIONS", asks_get + "Access-Control-Request-Method: PUT\r\n", false},
    {"OfAnUnknownMethod", "OPTIONS", "Origin: https://a.example\r\nAccess-Control-Request-Method: get\r\n", false},
    {"OfAList", "OPTIONS", "Origin: https://a.example\r\nAccess-Control-Request-Method: GET, PUT\r\n", false},
    {"OfNothing", "OPTIONS", "", false},
};

INSTANTIATE_TEST_SUITE_P(Table, PreflightTable, ::testing::ValuesIn(rows),
                         [](const auto& row) { return row.param.name; });

class Preflights : public ::testing::Test {
 protected:
  // The route that answers, "" where none does.
  std::string answering(const std::string& request) const {
    const HeadText text(request, snapshot->reserved);
    auto parsed = policy::RequestTarget::parse(text.head().target);
    const auto* const target = std::get_if<policy::RequestTarget>(&parsed);
    const policy::Route* const route =
        answering_route(snapshot->policy->table, {"", text.head().method, target, text.head().headers()}, text.head());
    return route == nullptr ? "" : route->name;
  }

  std::shared_ptr<const Snapshot> snapshot = testing::snapshot_of(policy::testing::settings_with(
      {keyed("read", "/x", 10).methods({"GET"}).cors({"https://a.example"}, true),
       keyed("write", "/x", 30).methods({"POST"}), open_route("options", "/y", 50).methods({"OPTIONS"}),
       keyed("any", "/y", 70).methods({"GET"})}));
};

TEST_F(Preflights, AreAnsweredByTheRouteOfTheRequestToCome) {
  EXPECT_EQ(answering(head("OPTIONS", "/x", asks_get)), "read");
  EXPECT_EQ(answering(head("OPTIONS", "/x", "Origin: https://b.example\r\nAccess-Control-Request-Method: HEAD\r\n")),
            "read");
}

TEST_F(Preflights, AreRequestsLikeAnyOtherWhereNoRouteAnswers) {
  EXPECT_EQ(answering(head("OPTIONS", "/x", "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n")),
            "");
  EXPECT_EQ(answering(head("OPTIONS", "/x", "Origin: https://a.example\r\nAccess-Control-Request-Method: PUT\r\n")),
            "");
  EXPECT_EQ(answering(head("OPTIONS", "/y", asks_get)), "");
  EXPECT_EQ(answering(head("OPTIONS", "/none", asks_get)), "");
  EXPECT_EQ(answering(head("GET", "/x", asks_get)), "");
}

TEST_F(Preflights, AllowNoMoreThanWasAskedForAndIsListed) {
  policy::Cors cors;
  cors.origins = {{"https://a.example", "", "Access-Control-Allow-Origin: https://a.example\r\n"}};
  const std::string vary = "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n";
  EXPECT_EQ(preflight_lines(cors, {"https://a.example", policy::Method::put}),
            vary + "Access-Control-Allow-Origin: https://a.example\r\nAccess-Control-Allow-Methods: PUT\r\n");
  EXPECT_EQ(preflight_lines(cors, {"https://b.example", policy::Method::put}), vary);
  EXPECT_EQ(preflight_lines(cors, {"null", policy::Method::put}), vary);
  cors.methods.add(policy::Method::get);
  cors.methods.add(policy::Method::post);
  cors.methods_text = "GET, POST";
  EXPECT_EQ(preflight_lines(cors, {"https://a.example", policy::Method::put}), vary);
  EXPECT_EQ(preflight_lines(cors, {"https://a.example", policy::Method::get}),
            vary + "Access-Control-Allow-Origin: https://a.example\r\nAccess-Control-Allow-Methods: GET, POST\r\n");
}

TEST_F(Preflights, AnswersOfOtherRequestsVaryByOriginAndNameOneThatIsListed) {
  const auto lines = [&](const std::string& fields) {
    const HeadText text(head("GET", "/x", fields));
    return std::string(cors_lines(snapshot->policy->routes[0].get(), text.head()));
  };
  const std::string allowed =
      "Access-Control-Allow-Origin: https://a.example\r\nAccess-Control-Allow-Credentials: true\r\nVary: Origin\r\n";
  EXPECT_EQ(lines("Origin: https://a.example\r\n"), allowed);
  EXPECT_EQ(lines("Origin: https://b.example\r\n"), "Vary: Origin\r\n");
  EXPECT_EQ(lines("Origin: https://a.example\r\nOrigin: https://a.example\r\n"), "Vary: Origin\r\n");
  EXPECT_EQ(lines(""), "Vary: Origin\r\n");
  const HeadText text(head("GET", "/x", "Origin: https://a.example\r\n"));
  EXPECT_EQ(cors_lines(snapshot->policy->routes[1].get(), text.head()), "");
  EXPECT_EQ(cors_lines(nullptr, text.head()), "");
}

TEST(UpstreamsCors, IsTakenOut) {
  ResponseText text(
      response_with("access-control-allow-origin: *\r\nAccess-Control-Expose-Headers: a\r\nAccess-Control: "
                    "kept\r\nVary: Accept\r\n"));
  ResponseHead response = text.head();
  drop_cors_fields(response);
  std::vector<bool> kept(response.is_kept.begin(), response.is_kept.begin() + 4);
  EXPECT_EQ(kept, (std::vector<bool>{false, false, true, true}));
}

}  // namespace
}  // namespace keygate::proxy
