// Another proxy serves the requests, and asks Keygate about each: raw, and from Debian's nginx and Caddy.
#include "tests/support/scenario.hpp"
#include "tests/support/socket.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace keygate::test {
namespace {

// By an address of its own, so that another is a stranger's.
std::string listener(std::uint16_t port, const std::string& dialect) {
  return "  - {address: \"127.0.0.1:" + std::to_string(port) + "\", mode: authorize, authorize: {dialect: " + dialect +
         "}}\n";
}

std::string named(const std::string& method, const std::string& uri) {
  return "X-Original-Method: " + method + "\r\nX-Original-URI: " + uri + "\r\n";
}

class DecisionService : public Scenario {
 protected:
  void start_deciding(const std::string& dialect, const std::string& trusted = "127.0.0.1",
                      const std::string& more = "") {
    port = free_port();
    start({.more = "trusted_proxies: [\"" + trusted + "\"]\n" + more + "listeners:\n" + listener(port, dialect)});
  }
  Response decide(const std::string& fields, const std::string& method = "GET", const std::string& target = "/ask") {
    return test::ask(port, request_to(target, fields, method), method == "HEAD" ? AnswerTo::head : AnswerTo::get);
  }
  void expect_refusal(const std::string& fields, int status, const std::string& code) {
    Response response = decide(fields);
    expect_problem(response, status, code);
    EXPECT_EQ(response.fields["x-keygate-code"], code);
  }

  std::uint16_t port = 0;
};

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
  EXPECT_EQ(decide(k1.bearer() + named("GET", "/v1/x"), "GET", "/admin/x").status, 403);
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

// --- asked by others' proxies ------------------------------------------------------------------------------------

// A proxy that listens at `port` and serves from `upstream` what Keygate grants.
class AskedBy : public DecisionService {
 protected:
  void run(std::vector<std::string> argv) {
    const std::string home = files.path().string();
    proxy = std::make_unique<Process>(Command{
        .argv = std::move(argv), .environment = {"HOME=" + home, "XDG_DATA_HOME=" + home, "XDG_CONFIG_HOME=" + home}});
    ASSERT_TRUE(eventually([&] { return proxy->exited() || try_connect(outer); })) << proxy->errors();
    ASSERT_FALSE(proxy->exited()) << proxy->errors();
  }
  std::string filled(std::string text) const {
    for (const auto& [mark, value] : {std::pair<std::string, std::string>{"@", files.path().string()},
                                      {"OUTER", std::to_string(outer)},
                                      {"KEYGATE", std::to_string(port)},
                                      {"UPSTREAM", std::to_string(upstream.port())}}) {
      for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size())) {
        text.replace(at, mark.size(), value);
      }
    }
    return text;
  }
  Response ask_outer(const std::string& target, const std::string& fields, const std::string& method = "GET") {
    return test::ask(outer, request_to(target, fields, method));
  }
  // Neither Keygate's nor the client's: left out, or empty.
  static void expect_nothing(const Request& request, std::string_view name) {
    for (const std::string& value : request.fields.values(name)) {
      EXPECT_EQ(value, "") << name;
    }
  }
  // Everything that both proxies have to hold to.
  void expect_guarded() {
    EXPECT_EQ(ask_outer("/v1/x?page=2", k1.bearer() + "X-Org-Id: forged\r\nX-User-Id: forged\r\n").status, 200);
    Request request = upstream.only_request();
    EXPECT_EQ(request.target, "/v1/x?page=2");
    EXPECT_EQ(request.fields["x-org-id"], "org_1");
    EXPECT_EQ(request.fields["x-key-id"], k1.id);
    expect_nothing(request, "x-user-id");
    upstream.forget();
    EXPECT_EQ(ask_outer("/public/x", "X-Org-Id: forged\r\n").status, 200);
    expect_nothing(upstream.only_request(), "x-org-id");
    upstream.forget();
    EXPECT_EQ(ask_outer("/v1/x", "").status, 401);
    EXPECT_EQ(ask_outer("/v1/x", kr.bearer()).status, 401);
    EXPECT_EQ(ask_outer("/admin/x", k1.bearer()).status, 403);
    EXPECT_EQ(ask_outer("/nowhere", k1.bearer()).status, 403);
    for (const std::string claim :
         {"X-Original-URI: /v1/x\r\n", "X-Original-Method: GET\r\n", "X-Forwarded-Uri: /v1/x\r\n",
          "X-Forwarded-Method: GET\r\n", "X-Original-URL: /v1/x\r\n", "X-Rewrite-URL: /v1/x\r\n"}) {
      EXPECT_NE(ask_outer("/admin/x", k1.bearer() + claim).status, 200) << claim;
      EXPECT_NE(ask_outer("/admin/x", k1.bearer() + claim + claim).status, 200) << claim;
    }
    EXPECT_EQ(upstream.bytes(), "");
    may_upstream_see_keys = true;  // the proxies send the client's credential on, unless they are told not to
  }

  TempDir files;
  std::uint16_t outer = 0;
  std::unique_ptr<Process> proxy;
};

TEST_F(AskedBy, P21_NginxByAuthRequest) {
  start_deciding("nginx");
  outer = free_port();
  const std::string text = R"(daemon off; master_process off; pid @/nginx.pid; error_log stderr warn;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path @/b; proxy_temp_path @/p; fastcgi_temp_path @/f; uwsgi_temp_path @/u; scgi_temp_path @/s;
  server {
    listen 127.0.0.1:OUTER;
    location / {
      auth_request /keygate;
      auth_request_set $org $upstream_http_x_org_id;
      auth_request_set $key $upstream_http_x_key_id;
      auth_request_set $user $upstream_http_x_user_id;
      auth_request_set $scopes $upstream_http_x_scopes;
      auth_request_set $environment $upstream_http_x_environment;
      auth_request_set $auth_method $upstream_http_x_auth_method;
      proxy_set_header X-Org-Id $org;
      proxy_set_header X-Key-Id $key;
      proxy_set_header X-User-Id $user;
      proxy_set_header X-Scopes $scopes;
      proxy_set_header X-Environment $environment;
      proxy_set_header X-Auth-Method $auth_method;
      proxy_pass http://127.0.0.1:UPSTREAM;
    }
    location = /keygate {
      internal;
      proxy_pass http://127.0.0.1:KEYGATE;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Original-URI $request_uri;
      proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
})";
  run({"nginx", "-p", files.path().string(), "-e", "stderr", "-c", files.write("nginx.conf", filled(text))});
  expect_guarded();
  // A status that auth_request does not know ends as its 500, and nothing gets through.
  EXPECT_EQ(ask_outer("/v1/a%2Fb", k1.bearer()).status, 500);
}

TEST_F(AskedBy, P21_CaddyByForwardAuth) {
  if (!std::filesystem::exists("/usr/bin/caddy")) {
    GTEST_SKIP() << "***** there is no caddy: apt-get install caddy *****";
  }
  start_deciding("forwarded");
  outer = free_port();
  const std::string text = R"({
  admin off
  auto_https off
  persist_config off
}
http://127.0.0.1:OUTER, http://api.local:OUTER {
  bind 127.0.0.1
  forward_auth 127.0.0.1:KEYGATE {
    uri /keygate
    copy_headers X-Org-Id X-Key-Id X-User-Id X-Scopes X-Environment X-Auth-Method
  }
  reverse_proxy 127.0.0.1:UPSTREAM
}
)";
  run({"/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config", files.write("Caddyfile", filled(text))});
  expect_guarded();
  EXPECT_EQ(ask_outer("/v1/a%2Fb", k1.bearer()).status, 400);
}

}  // namespace
}  // namespace keygate::test
