// Another proxy serves the requests, and asks Keygate about each. nginx and Caddy themselves ask in
// tests/clients/decisions_test.py.
#include "tests/scenario/decisions.hpp"

#include <gtest/gtest.h>

namespace keygate::test {
namespace {

TEST_F(DecisionService, GrantsWithEveryIdentityHeader) {
  start_deciding("nginx");
  Response response = decide(named("GET", "/v1/x?page=2") + k1.bearer());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.fields["x-org-id"], "org_1");
  EXPECT_EQ(response.fields["x-key-id"], k1.id);
  EXPECT_EQ(response.fields["x-scopes"], "v1:read");
  EXPECT_EQ(response.fields["x-auth-method"], "api_key");
  for (const char* const absent : {"x-user-id", "x-environment"}) {
    EXPECT_TRUE(response.fields.has(absent)) << absent;
    EXPECT_EQ(response.fields[absent], "") << absent;
  }
  EXPECT_EQ(upstream.bytes(), "") << "whoever asks serves the request";
}

TEST_F(DecisionService, SaysOfAnonymousRoutesThatNobodyIsKnown) {
  start_deciding("nginx");
  Response response = decide(named("GET", "/public/x"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.fields["x-auth-method"], "anonymous");
  for (const char* const absent : {"x-org-id", "x-key-id", "x-user-id", "x-scopes", "x-environment"}) {
    EXPECT_TRUE(response.fields.has(absent)) << absent;
    EXPECT_EQ(response.fields[absent], "") << absent;
  }
}

TEST_F(DecisionService, RefusesWithTheTrueStatusAndItsCode) {
  start_deciding("nginx");
  expect_refusal(named("GET", "/v1/x"), 401, "missing_credential");
  expect_refusal(named("GET", "/v1/x") + kr.bearer(), 401, "revoked_key");
  expect_refusal(named("GET", "/admin/x") + k1.bearer(), 403, "insufficient_scope");
  expect_refusal(named("GET", "/nowhere") + k1.bearer(), 403, "no_route");
  expect_refusal(named("GET", "/v1/../admin/x") + k1.bearer(), 400, "ambiguous_path");
  expect_refusal(named("CONNECT", "/v1/x") + k1.bearer(), 405, "method_not_allowed");
  EXPECT_EQ(upstream.bytes(), "");
  const auto line = keygate.wait_for_log([](const auto& one) { return text_of(one, "code") == "insufficient_scope"; });
  EXPECT_EQ(text_of(line, "path"), "/admin/x");
}

TEST_F(DecisionService, P21_AClientsOwnHeadersNeverNameAnotherRequest) {
  start_deciding("nginx");
  const std::string asks = named("GET", "/admin/x") + k1.bearer();
  for (const std::string claim :
       {"X-Forwarded-Uri: /v1/x\r\n", "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /v1/x\r\nX-Forwarded-Host: a\r\n",
        "X-Forwarded-Method: POST\r\n", "X-Forwarded-Uri:\r\n"}) {
    expect_refusal(asks + claim, 400, "bad_request");  // it contradicts
    expect_refusal(claim + asks, 400, "bad_request");
  }
  for (const std::string claim : {"X-Forwarded-Uri: /admin/x\r\n", "X-Forwarded-Host: a\r\n",
                                  "X-Rewrite-URL: /v1/x\r\n", "X-Original-URL: /v1/x\r\n", "X_Original_URI: /v1/x\r\n",
                                  "X-Envoy-Original-Path: /v1/x\r\n", "X-HTTP-Method-Override: GET\r\n"}) {
    EXPECT_EQ(decide(asks + claim).status, 403) << claim;
    EXPECT_EQ(decide(claim + asks, "GET", "/v1/x").status, 403) << claim;
  }
  for (const std::string twin :
       {"X-Original-URI: /v1/x\r\n", "x-original-uri: /admin/x\r\n", "X-Original-Method: GET\r\n"}) {
    expect_refusal(asks + twin, 400, "bad_request");
    expect_refusal(twin + asks, 400, "bad_request");
  }
  expect_refusal(k1.bearer(), 400, "bad_request");
  // What is removed on the way by the client's word is not removed by it either.
  EXPECT_EQ(decide(asks + "Connection: X-Original-URI\r\n").status, 400);
}

TEST_F(DecisionService, P21_EnvoysIsTheRequestLineAlone) {
  start_deciding("envoy");
  EXPECT_EQ(decide(k1.bearer(), "GET", "/v1/x").status, 200);
  expect_problem(decide(k1.bearer() + named("GET", "/v1/x"), "GET", "/admin/x"), 400, "bad_request");
  expect_problem(decide(k1.bearer() + "X-Forwarded-Uri: /admin/x\r\n", "GET", "/v1/x"), 400, "bad_request");
  EXPECT_EQ(decide(k1.bearer(), "HEAD", "/admin/x").status, 403);
}

TEST_F(DecisionService, P22_NothingIsGrantedForBeingAskedAtTheLastHop) {
  start_deciding("envoy");
  EXPECT_EQ(decide("Max-Forwards: 0\r\n", "OPTIONS", "/admin/x").status, 401);
  EXPECT_EQ(decide("", "OPTIONS", "*").status, 400);
}

TEST_F(DecisionService, P21_StrangersAreToldNothing) {
  start_deciding("envoy", "10.0.0.9");
  Response response = decide(k1.bearer(), "GET", "/v1/x");
  expect_problem(response, 400, "bad_request");
  EXPECT_FALSE(response.fields.has("x-org-id"));
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("none of trusted_proxies") != std::string::npos; }));
}

TEST_F(DecisionService, LeavesTheOtherListenersAsTheyAre) {
  start_deciding("nginx");
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer() + named("GET", "/public/x"))).status, 200);
  EXPECT_EQ(upstream.only_request().target, "/v1/x");
}

TEST_F(DecisionService, GoesOnWithTheConnectionThatItIsAskedOn) {
  start_deciding("nginx");
  RawClient client(port);
  EXPECT_EQ(client.ask(request_to("/ask", named("GET", "/v1/x") + k1.bearer())).status, 200);
  EXPECT_EQ(client.ask(request_to("/ask", named("GET", "/v1/x"))).status, 401);
  EXPECT_EQ(client.ask(request_with_body("/ask", "{}", named("POST", "/public/x"))).status, 200);
  EXPECT_EQ(client.ask(request_to("/ask", named("GET", "/v1/x") + k1.bearer())).status, 200);
}

TEST_F(DecisionService, KeepsToRateLimitsAndSaysWhatIsLeft) {
  port = free_port();
  const std::string policy(standard_policy);
  start({.policy = policy + "  - name: limited\n    match: {path: /limited}\n    require: {scopes: \"v1:read\"}\n"
                            "    rate_limit: {limit: 2, window: 1h, per: key}\n"
                            "  - name: try\n    match: {path: /try}\n    anonymous: true\n"
                            "    rate_limit: {limit: 1, window: 1h, per: ip}\n",
         .more = "trusted_proxies: [127.0.0.1]\nlisteners:\n" + deciding_listener(port, "nginx")});
  for (const std::string left : {"1", "0"}) {
    Response granted = decide(named("GET", "/limited") + k1.bearer());
    EXPECT_EQ(granted.status, 200);
    EXPECT_EQ(granted.fields["ratelimit-limit"], "2");
    EXPECT_EQ(granted.fields["ratelimit-remaining"], left);
  }
  Response denied = decide(named("GET", "/limited") + k1.bearer());
  expect_problem(denied, 429, "rate_limited");
  EXPECT_EQ(denied.fields["x-keygate-code"], "rate_limited");
  EXPECT_EQ(denied.fields["ratelimit-remaining"], "0");
  EXPECT_NE(denied.fields["retry-after"], "");
  EXPECT_EQ(ask(request_to("/limited", k1.bearer())).status, 429) << "one count with those who are forwarded";
  // By the client's address, which is not that of who asks.
  EXPECT_EQ(decide(named("GET", "/try") + "X-Forwarded-For: 203.0.113.1\r\n").status, 200);
  EXPECT_EQ(decide(named("GET", "/try") + "X-Forwarded-For: 203.0.113.2\r\n").status, 200);
  EXPECT_EQ(decide(named("GET", "/try") + "X-Forwarded-For: 198.51.100.1, 203.0.113.1\r\n").status, 429);
}

TEST_F(DecisionService, P22_APreflightIsAnsweredByWhoServesIt) {
  port = free_port();
  start({.policy = "scopes: {\"v1:read\": Read, admin: Administrate}\nroutes:\n"
                   "  - name: v1\n    match: {path: \"/v1/{rest...}\"}\n    require: {scopes: \"v1:read\"}\n"
                   "    cors: {origins: [\"https://app.example.com\"]}\n",
         .more = "trusted_proxies: [127.0.0.1]\nlisteners:\n" + deciding_listener(port, "nginx")});
  const std::string preflight = "Origin: https://app.example.com\r\nAccess-Control-Request-Method: GET\r\n";
  EXPECT_EQ(ask(request_to("/v1/x", preflight, "OPTIONS")).status, 204);
  Response response = decide(named("OPTIONS", "/v1/x") + preflight);
  expect_problem(response, 401, "missing_credential");
  EXPECT_EQ(response.fields["access-control-allow-origin"], "https://app.example.com")
      << "so that the page may read it";
}

TEST_F(DecisionService, GrantsWithWhatRoutesSetAndEmptiesWhatOthersSet) {
  port = free_port();
  start({.policy = "scopes: {\"v1:read\": Read, admin: Administrate}\nroutes:\n"
                   "  - name: v1\n    match: {path: \"/v1/{item}\"}\n    require: {scopes: \"v1:read\"}\n"
                   "    set_headers: {X-Item: \"{item}\"}\n"
                   "  - name: public\n    match: {path: /public}\n    anonymous: true\n",
         .more = "trusted_proxies: [127.0.0.1]\nlisteners:\n" + deciding_listener(port, "nginx")});
  EXPECT_EQ(decide(named("GET", "/v1/seven") + k1.bearer()).fields["x-item"], "seven");
  Response other = decide(named("GET", "/public") + "X-Item: forged\r\n");
  EXPECT_EQ(other.status, 200);
  EXPECT_TRUE(other.fields.has("x-item"));
  EXPECT_EQ(other.fields["x-item"], "");
}

}  // namespace
}  // namespace keygate::test
