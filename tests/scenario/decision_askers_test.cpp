// Who asks for decisions, in which shape, and what is known of the client that it asks about.
#include "tests/scenario/decisions.hpp"
#include "tests/support/bridge.hpp"
#include "tests/support/scripted_service.hpp"

#include <gtest/gtest.h>

namespace keygate::test {
namespace {

// As Traefik 3 sends it: a GET of its own with the client's fields, less those of the hop, and the request in headers.
std::string by_traefik(const std::string& fields, const std::string& method, const std::string& uri,
                       const std::string& host = "api.local", const std::string& client = "203.0.113.9") {
  return "GET /keygate HTTP/1.1\r\nHost: 10.0.0.7:8090\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n" + fields +
         "X-Forwarded-For: " + client + "\r\nX-Forwarded-Host: " + host + "\r\nX-Forwarded-Method: " + method +
         "\r\nX-Forwarded-Port: 443\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Server: traefik\r\n" +
         "X-Forwarded-Uri: " + uri + "\r\nAccept-Encoding: gzip\r\n\r\n";
}

TEST_F(DecisionService, P21_TraefiksQuestionIsWhatItsHeadersSay) {
  start_deciding("forwarded");
  Response granted = test::ask(port, by_traefik(k1.bearer(), "PUT", "/v1/x?page=2"));
  EXPECT_EQ(granted.status, 200);
  EXPECT_EQ(granted.fields["x-key-id"], k1.id);
  Response denied = test::ask(port, by_traefik(k1.bearer(), "PUT", "/admin/x"));
  expect_problem(denied, 403, "insufficient_scope");
  EXPECT_EQ(denied.fields["x-keygate-code"], "insufficient_scope");
  const auto line = keygate.wait_for_log_of("/admin/x");
  EXPECT_EQ(text_of(line, "method"), "PUT");
  EXPECT_EQ(text_of(line, "host"), "api.local");
  EXPECT_EQ(text_of(line, "client"), "203.0.113.9");
  for (const std::string twin :
       {"X-Forwarded-Uri: /v1/x\r\n", "X-Forwarded-Method: GET\r\n", "X-Forwarded-Host: api.local\r\n",
        "X-Original-URI: /admin/x\r\n", "X-Original-Method: GET\r\n", "Connection: X-Forwarded-Uri\r\n"}) {
    expect_problem(test::ask(port, by_traefik(k1.bearer() + twin, "PUT", "/v1/x")), 400, "bad_request");
  }
}

TEST_F(DecisionService, P21_AQuestionIsReadAsStrictlyAsARequestLine) {
  start_deciding("forwarded");
  struct Row {
    std::string method, uri, host;
    int status;
    std::string code;
  };
  for (const Row& row : {Row{"GET", "http://api.local/v1/x", "api.local", 400, "bad_request"},
                         Row{"GET", "/v1/x#public", "api.local", 400, "bad_request"},
                         Row{"GET", "/v1/x /public/x", "api.local", 400, "bad_request"},
                         Row{"GET", "/v1/x\t", "api.local", 400, "bad_request"},
                         Row{"GET", "/v1/\tx", "api.local", 400, "bad_request"},
                         Row{"GET", std::string("/v1/x\0", 6), "api.local", 400, "bad_request"},
                         Row{"GET", "/v1/x\x01", "api.local", 400, "bad_request"},
                         Row{"GET", "/v1/x\r/public/x", "api.local", 400, "bad_request"},
                         Row{"GET", "/v1/\xC3\xA4", "api.local", 400, "bad_request"},
                         Row{"GET", "/v1/%00", "api.local", 400, "ambiguous_path"},
                         Row{"GET", "/v1\\x", "api.local", 400, "bad_request"},
                         Row{"GET", "/v1/%2e%2e/admin", "api.local", 400, "ambiguous_path"},
                         Row{"GET", "/v1//x", "api.local", 400, "ambiguous_path"},
                         Row{"GET", "*", "api.local", 400, "bad_request"},
                         Row{"OPTIONS", "*", "api.local", 400, "bad_request"},
                         Row{"GET", "v1/x", "api.local", 400, "bad_request"},
                         Row{"GET", "", "api.local", 400, "bad_request"},
                         Row{"", "/v1/x", "api.local", 400, "bad_request"},
                         Row{"get", "/v1/x", "api.local", 501, "not_implemented"},
                         Row{"GET,POST", "/v1/x", "api.local", 501, "not_implemented"},
                         Row{"TRACE", "/v1/x", "api.local", 405, "method_not_allowed"},
                         Row{"GET", "/v1/x", "", 400, "bad_request"},
                         Row{"GET", "/v1/x", "a.local, b.local", 400, "bad_request"},
                         Row{"GET", "/v1/x", "user@a.local", 400, "bad_request"},
                         Row{"GET", "/v1/" + std::string(8192, 'a'), "api.local", 431, "header_too_large"}}) {
    Response response = test::ask(port, by_traefik(k1.bearer(), row.method, row.uri, row.host));
    EXPECT_EQ(response.status, row.status) << shown(row.uri) << " " << row.method << " " << row.host;
    if (row.status != 200) {
      EXPECT_EQ(response.fields["x-keygate-code"], row.code) << shown(row.uri) << " " << row.method << " " << row.host;
    }
  }
}

// As Envoy's ext_authz over HTTP: the request's own line, what it is allowed to pass on, an empty body.
TEST_F(DecisionService, P21_EnvoysQuestionIsItsRequestLine) {
  start_deciding("envoy");
  const auto by_envoy = [&](const std::string& line, const std::string& fields) {
    return test::ask(port, line + " HTTP/1.1\r\nhost: api.local\r\ncontent-length: 0\r\n" + fields +
                               "x-forwarded-for: 203.0.113.9,127.0.0.1\r\nx-envoy-internal: true\r\n"
                               "x-envoy-expected-rq-timeout-ms: 200\r\n\r\n");
  };
  EXPECT_EQ(by_envoy("POST /v1/x?page=2", k1.bearer()).status, 200);
  Response denied = by_envoy("POST /admin/envoy", k1.bearer());
  expect_problem(denied, 403, "insufficient_scope");
  EXPECT_EQ(text_of(keygate.wait_for_log_of("/admin/envoy"), "client"), "203.0.113.9");
}

TEST_F(DecisionService, P21_TheAskersCertificateIsNoClients) {
  const CertificateAuthority authority;
  const Certificate own = authority.issue({"DNS:localhost"});
  keygate.directory().write("tls.crt", own.certificate);
  keygate.directory().write("tls.key", own.private_key);
  keygate.directory().write("ca.pem", authority.certificate());
  port = free_port();
  const std::uint16_t forwarding = free_port();
  const std::string tls =
      ", tls: {certificate_file: tls.crt, private_key_file: tls.key, client_ca_file: ca.pem, client_certificate: "
      "optional}}\n";
  start({.policy = "scopes: {\"v1:read\": Read, admin: Administrate}\nroutes:\n"
                   "  - name: certified\n    match: {path: /certified}\n"
                   "    require: {scopes: \"v1:read\", client_subject: CN=nginx}\n"
                   "  - name: v1\n    match: {path: /v1}\n    require: {scopes: \"v1:read\"}\n",
         .more = "trusted_proxies: [127.0.0.1]\nlisteners:\n  - {address: \"127.0.0.1:" + std::to_string(port) +
                 "\", mode: authorize, authorize: {dialect: nginx}" + tls +
                 "  - {address: \"127.0.0.1:" + std::to_string(forwarding) + "\"" + tls});
  const Certificate nginx = authority.issue({"DNS:nginx"}, -60, 3600, "nginx");
  const auto to = [&](std::uint16_t where) {
    return BridgeEnd{.port = where, .tls = tls_client(authority.certificate(), nginx), .name = "localhost"};
  };
  const Bridge asking({}, to(port)), sending({}, to(forwarding));
  EXPECT_EQ(test::ask(sending.port(), request_to("/certified", k1.bearer())).status, 200);
  EXPECT_EQ(test::ask(asking.port(), request_to("/ask", named("GET", "/v1") + k1.bearer())).status, 200);
  EXPECT_EQ(test::ask(asking.port(), request_to("/ask", named("GET", "/certified") + k1.bearer())).status, 403);
}

TEST_F(DecisionService, OverAUnixSocketWhoeverMayConnectMayAsk) {
  start({.more = "listeners: [{address: \"unix:ask.sock\", mode: authorize, authorize: {dialect: nginx}}]\n"});
  const Bridge bridge({}, {.socket = keygate.directory() / "ask.sock"});
  const auto decide_here = [&](const std::string& fields) {
    return test::ask(bridge.port(), request_to("/ask", fields)).status;
  };
  EXPECT_EQ(decide_here(named("GET", "/v1/x") + k1.bearer() + "X-Forwarded-For: 203.0.113.9\r\n"), 200);
  EXPECT_EQ(text_of(keygate.wait_for_log_of("/v1/x"), "client"), "203.0.113.9");
  EXPECT_EQ(decide_here(named("GET", "/v1/y") + k1.bearer()), 200);
  EXPECT_EQ(text_of(keygate.wait_for_log_of("/v1/y"), "client"), "unknown");
  EXPECT_EQ(decide_here(named("GET", "/admin/x") + k1.bearer()), 403);
}

// A page acts with the session of whoever is signed in.
TEST_F(DecisionService, APageThatCameInTheClearActsForNobodyWhereTheSiteIsSecure) {
  ScriptedService sessions([](const std::string&) {
    return std::string(R"({"valid":true,"session_id":"s_1","user_id":"user_jane","organization_id":"org_1"})");
  });
  port = free_port();
  Config config{.upstream_port = upstream.port()};
  config.policy =
      "scopes: {\"v1:read\": Read}\nroutes:\n  - name: v1\n    match: {path: \"/v1/{rest...}\"}\n"
      "    require: {scopes: \"v1:read\", credentials: [session]}\n";
  config.more = "credentials: {sources: [{cookie: sid}]}\ntrusted_proxies: [127.0.0.1]\nlisteners:\n" +
                deciding_listener(port, "nginx");
  const std::string url = "\"http://127.0.0.1:" + std::to_string(sessions.port());
  config.resolution =
      "{service: {url: " + url + "/keys\", session_url: " + url + "/sessions\", session_scopes: [\"v1:read\"]}}";
  keygate.start(std::move(config));
  const auto status = [&](const std::string& fields) {
    return decide(named("POST", "/v1/x") + "Cookie: sid=session-of-jane\r\n" + fields).status;
  };
  const std::string secure = "X-Forwarded-Proto: https\r\n", clear = "X-Forwarded-Proto: http\r\n";
  EXPECT_EQ(status(secure + "Origin: https://api.local\r\n"), 200);
  EXPECT_EQ(status(secure + "Origin: http://api.local\r\n"), 403);
  EXPECT_EQ(status(clear + "Origin: http://api.local\r\n"), 200);
  EXPECT_EQ(status(secure + "Origin: https://evil.example\r\n"), 403);
}

// Its key service says that the key may be used from these addresses alone, or says nothing.
class DecisionByService : public DecisionService {
 protected:
  void start_asking(const std::string& dialect = "nginx") {
    port = free_port();
    Config config{.upstream_port = upstream.port()};
    config.more = "trusted_proxies: [127.0.0.0/8]\nlisteners:\n" + deciding_listener(port, dialect);
    config.resolution = "{service: {url: \"http://127.0.0.1:" + std::to_string(service.port()) + "/verify\"}}";
    keygate.start(std::move(config));
  }
  int status_for(const std::string& fields) { return decide(named("GET", "/v1/x") + key + fields).status; }

  ScriptedService service{[](const std::string&) {
    std::string answer = good_answer("key_1");
    answer.pop_back();
    return answer + R"(,"allowed_cidrs":["203.0.113.0/24","127.0.0.0/8"]})";
  }};
  const std::string key = "Authorization: Bearer kg_bound_aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
};

TEST_F(DecisionByService, A11_AKeysAddressesAreHeldAgainstTheClients) {
  start_asking();
  EXPECT_EQ(status_for("X-Forwarded-For: 203.0.113.9\r\n"), 200);
  EXPECT_EQ(status_for("X-Forwarded-For: 198.51.100.9\r\n"), 403);
  EXPECT_EQ(status_for("X-Forwarded-For: 203.0.113.9, 198.51.100.9\r\n"), 403);
  EXPECT_EQ(status_for("X-Forwarded-For: 203.0.113.9, 127.0.0.7\r\n"), 200) << "a second proxy that is trusted";
  // Who asks has an address that would do, and is not who is asked about.
  EXPECT_EQ(status_for(""), 403);
  EXPECT_EQ(status_for("X-Real-IP: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\n"), 403);
  EXPECT_EQ(status_for("X-Forwarded-For: unknown\r\n"), 403);
  EXPECT_EQ(status_for("X-Forwarded-For: unknown, 127.0.0.1\r\n"), 403) << "the last hop is that of a proxy";
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("without saying of which client") != std::string::npos; }));
}

// It writes its own address behind all others, or alone.
TEST_F(DecisionByService, A11_EnvoyIsNotTheClientThatItAsksFor) {
  start_asking("envoy");
  const auto status = [&](const std::string& hops) {
    return decide(key + "X-Forwarded-For: " + hops + "\r\n", "GET", "/v1/x").status;
  };
  EXPECT_EQ(status("203.0.113.9,127.0.0.1"), 200);
  EXPECT_EQ(status("127.0.0.1,127.0.0.1"), 200);
  EXPECT_EQ(status("127.0.0.1"), 403);
  EXPECT_EQ(status("unknown,127.0.0.1"), 403);
  EXPECT_EQ(status("198.51.100.9,127.0.0.1"), 403);
}

TEST_F(DecisionByService, F01_AnOutageIsNoGrantAndNoDenialOfTheKey) {
  start_asking();
  service.answer_all_with("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
  Response response = decide(named("GET", "/v1/x") + key);
  expect_problem(response, 503, "key_service_unavailable");
  EXPECT_EQ(response.fields["x-keygate-code"], "key_service_unavailable");
  EXPECT_FALSE(response.fields.has("x-org-id"));
}

}  // namespace
}  // namespace keygate::test
