// Pages of other origins: what a browser is told before and after, and that it changes nothing for anybody else.
#include "tests/support/scenario.hpp"
#include "tests/support/shipped_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace keygate::test {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view cors_policy = R"(
scopes: {"v1:read": Read, admin: Administrate}
routes:
  - name: v1
    match: {methods: [GET, POST], path: "/v1/{item}"}
    require: {scopes: "v1:read"}
    set_headers: {X-Item: "{item}", X-Owner: "{principal.organization}"}
    cors:
      origins: [https://app.example.com]
      headers: [authorization, content-type]
      expose: [x-request-id]
      credentials: true
      max_age: 10m
  - name: admin
    match: {path: "/admin/{item}"}
    require: {scopes: admin}
  - name: public
    match: {path: "/public/{item}"}
    anonymous: true
    cors: {origins: "*"}
)";

const std::string from_app = "Origin: https://app.example.com\r\n";
const std::string asks_get = from_app + "Access-Control-Request-Method: GET\r\n";

class CrossOrigin : public Scenario {
 protected:
  void SetUp() override { start({.policy = std::string(cors_policy)}); }
};

TEST_F(CrossOrigin, APreflightIsAnsweredHere) {
  RawClient client = keygate.connect();
  const Response answer = client.ask(request_to("/v1/x", asks_get, "OPTIONS"));
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.fields["access-control-allow-origin"], "https://app.example.com");
  EXPECT_EQ(answer.fields["access-control-allow-credentials"], "true");
  EXPECT_EQ(answer.fields["access-control-allow-methods"], "GET");
  EXPECT_EQ(answer.fields["access-control-allow-headers"], "authorization, content-type");
  EXPECT_EQ(answer.fields["access-control-max-age"], "600");
  EXPECT_TRUE(answer.fields.lists("vary", "origin"));
  EXPECT_FALSE(answer.fields.has("content-length"));
  EXPECT_EQ(client.ask(request_to("/v1/x", from_app + k1.bearer())).status, 200) << "the connection lives on";
  EXPECT_EQ(upstream.requests().size(), 1U);
  const auto line = keygate.wait_for_log([](const auto& entry) { return text_of(entry, "method") == "OPTIONS"; });
  EXPECT_EQ(text_of(line, "status"), "204");
  EXPECT_EQ(text_of(line, "route"), "v1");
}

TEST_F(CrossOrigin, AnotherOriginIsToldNothing) {
  const Response answer =
      ask(request_to("/v1/x", "Origin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n", "OPTIONS"));
  EXPECT_EQ(answer.status, 204);
  EXPECT_FALSE(answer.fields.has("access-control-allow-origin"));
  EXPECT_FALSE(answer.fields.has("access-control-allow-methods"));
  EXPECT_TRUE(answer.fields.lists("vary", "origin"));
  EXPECT_EQ(upstream.bytes(), "");
}

TEST_F(CrossOrigin, A15_APreflightThatNoRouteAnswersIsARequestLikeAnyOther) {
  expect_denied(request_to("/admin/x", asks_get, "OPTIONS"), {401, "missing_credential", Ending::open});
  expect_denied(request_to("/none", asks_get, "OPTIONS"), {403, "no_route", Ending::open});
  expect_denied(request_to("/v1/x", from_app + "Access-Control-Request-Method: DELETE\r\n", "OPTIONS"),
                {403, "no_route", Ending::open});
  expect_denied(request_to("/v1/x", from_app, "OPTIONS"), {403, "no_route", Ending::open});
  EXPECT_EQ(expect_granted(request_to("/admin/x", asks_get + ka.bearer(), "OPTIONS")).method, "OPTIONS");
}

TEST_F(CrossOrigin, AnAnswerIsReadableByTheListedOriginAlone) {
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.answer(200, "ok", "Access-Control-Allow-Origin: *\r\naccess-control-allow-credentials: true\r\nX-Kept: 1\r\n");
  });
  const Response read = ask(request_to("/v1/x", from_app + k1.bearer()));
  EXPECT_EQ(read.fields["access-control-allow-origin"], "https://app.example.com");
  EXPECT_EQ(read.fields["access-control-allow-credentials"], "true");
  EXPECT_EQ(read.fields["access-control-expose-headers"], "x-request-id");
  EXPECT_EQ(read.fields["vary"], "Origin");
  EXPECT_EQ(read.fields["x-kept"], "1");
  for (const std::string fields : {"Origin: https://evil.example\r\n", "Origin: null\r\n", ""}) {
    const Response other = ask(request_to("/v1/x", fields + k1.bearer()));
    EXPECT_EQ(other.status, 200) << "what is not a browser is not kept out";
    EXPECT_FALSE(other.fields.has("access-control-allow-origin")) << fields;
    EXPECT_FALSE(other.fields.has("access-control-allow-credentials")) << fields;
    EXPECT_EQ(other.fields["vary"], "Origin") << fields;
  }
  EXPECT_EQ(ask(request_to("/admin/x", from_app + ka.bearer())).fields["access-control-allow-origin"], "*")
      << "a route without cors leaves it to the upstream";
  const Response open = ask(request_to("/public/x"));
  EXPECT_EQ(open.fields["access-control-allow-origin"], "*");
  EXPECT_FALSE(open.fields.has("access-control-allow-credentials"));
}

TEST_F(CrossOrigin, ARefusalIsReadableToo) {
  const Response missing = ask(request_to("/v1/x", from_app));
  expect_problem(missing, 401, "missing_credential");
  EXPECT_EQ(missing.fields["access-control-allow-origin"], "https://app.example.com");
  const Response scope = ask(request_to("/v1/x", from_app + ka.bearer()));
  expect_problem(scope, 403, "insufficient_scope");
  EXPECT_EQ(scope.fields["access-control-allow-origin"], "https://app.example.com");
  EXPECT_FALSE(ask(request_to("/v1/x", "Origin: https://evil.example\r\n")).fields.has("access-control-allow-origin"));
  EXPECT_FALSE(ask(request_to("/none", from_app)).fields.has("access-control-allow-origin"));
  upstream.follow([](Turn& turn) { turn.close(); });
  const Response broken = ask(request_to("/v1/x", from_app + k1.bearer()));
  EXPECT_EQ(broken.status, 502);
  EXPECT_EQ(broken.fields["access-control-allow-origin"], "https://app.example.com");
}

TEST_F(CrossOrigin, WhatARouteSetsIsSentAndNobodyElseCanSayIt) {
  const Request seen = expect_granted(request_to("/v1/a%20b", "X-Item: evil\r\nX_Owner: evil\r\n" + k1.bearer()));
  EXPECT_EQ(seen.fields["x-item"], "a%20b");
  EXPECT_EQ(seen.fields["x-owner"], "org_1");
  EXPECT_EQ(seen.fields.count_alike("x-owner"), 1U);
  const Request other = expect_granted(request_to("/public/x", "X-Item: evil\r\nX-Owner: evil\r\n"));
  EXPECT_EQ(other.fields.count_alike("x-item") + other.fields.count_alike("x-owner"), 0U);
}

TEST_F(CrossOrigin, IsExplainedAndTested) {
  const auto explain = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> argv{keygate_binary(), "explain", "-c", keygate.config_file()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run({argv, {}, "", ""});
  };
  const std::vector<std::string> preflight{
      "OPTIONS", "/v1/x", "-H", "Origin: https://app.example.com", "-H", "Access-Control-Request-Method: POST"};
  const Finished told = explain(preflight);
  EXPECT_EQ(told.status.code, 0) << told.errors;
  EXPECT_THAT(told.output, HasSubstr("answered by Keygate itself: 204, the preflight of a POST from a page of "
                                     "https://app.example.com\n  which it may send\n"));
  EXPECT_THAT(told.output, HasSubstr("  Access-Control-Allow-Methods: POST\n"));
  const Finished sent = explain({"GET", "/v1/x", "--scopes", "v1:read", "--organization", "acme"});
  EXPECT_THAT(sent.output, HasSubstr("X-Item"));
  EXPECT_THAT(sent.output,
              HasSubstr("answered  with, in place of the upstream's own Access-Control-*:\n  Vary: Origin"));

  const std::string cases =
      keygate.directory().write("cases.yaml",
                                "cases:\n"
                                "  - request: OPTIONS /v1/x\n"
                                "    headers: {Origin: https://app.example.com, Access-Control-Request-Method: GET}\n"
                                "    expect: {code: ok, status: 204, route: v1, headers: {X-Item: null}}\n"
                                "  - request: OPTIONS /admin/x\n"
                                "    headers: {Origin: https://app.example.com, Access-Control-Request-Method: GET}\n"
                                "    expect: {status: 401, code: missing_credential}\n"
                                "  - request: GET /v1/7\n"
                                "    headers: {X-Item: evil}\n"
                                "    key: {scopes: v1:read, organization: acme}\n"
                                "    expect: {headers: {X-Item: \"7\", X-Owner: acme}}\n");
  const Finished tested = run({{keygate_binary(), "test", "-c", keygate.config_file(), cases}, {}, "", ""});
  EXPECT_EQ(tested.output, "3 cases, all as expected\n") << tested.errors;
}

}  // namespace
}  // namespace keygate::test
