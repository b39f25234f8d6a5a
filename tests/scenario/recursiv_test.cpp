// config/examples/recursiv does what Recursiv's page on authentication promises its customers: keys, scopes,
// organizations, open routes. Sessions are in recursiv_sessions_test.cpp, the shared secret and the life of keys in
// recursiv_keys_test.cpp.
#include "tests/scenario/recursiv.hpp"

#include "tests/support/curl.hpp"
#include "tests/support/guarded_routes.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

// The page's table, word for word.
const std::set<std::string> all_scopes{
    "projects:read",       "projects:write",
    "agents:read",         "agents:write",
    "posts:read",          "posts:write",
    "communities:read",    "chat:read",
    "communities:write",   "chat:write",
    "users:read",          "users:write",
    "settings:read",       "organizations:read",
    "organizations:write", "notifications:read",
    "notifications:write", "tags:read",
    "tags:write",          "uploads:write",
    "wallet:read",         "wallet:write",
    "commands:read",       "commands:write",
    "settings:write",      "billing:read",
    "billing:write",       "memory:read",
    "memory:write",        "databases:read",
    "databases:write",     "storage:read",
    "storage:write",       "admin",
};

TEST_F(Recursiv, OrganizationComesFromTheKey) {
  const Key a = keys.create_key("org_a", "projects:read,agents:read,memory:read,organizations:read");
  const Key b = keys.create_key("org_b", "projects:read,agents:read,memory:read,organizations:read");
  for (const char* target : {"/api/v1/projects?organization_id=org_b", "/api/v1/dispatcher/tasks", "/api/v1/agents",
                             "/api/v1/memory/facts", "/api/v1/organizations"}) {
    EXPECT_EQ(seen_of(a, target, "X-Org-Id: org_b\r\nX_Org_Id: org_b\r\n").fields["x-org-id"], "org_a") << target;
    EXPECT_EQ(api.only_request().fields.count_alike("x-org-id"), 1U) << target;
    EXPECT_EQ(seen_of(b, target).fields["x-org-id"], "org_b") << target;
  }
}

TEST_F(Recursiv, AnotherOrganizationsPathIsRefusedWithAnyScope) {
  const Key key = keys.create_key("org_a", "*,admin", {"--environment", "live", "--allow-restricted"});
  EXPECT_EQ(ask_as(key, "/api/v1/organizations/org_a").status, 200);
  EXPECT_EQ(ask_as(key, "/api/v1/organizations/org_a/members").status, 200);
  api.forget();
  for (const char* target :
       {"/api/v1/organizations/org_b", "/api/v1/organizations/org_b/settings", "/api/v1/organizations/org_b/members",
        "/api/v1/organizations/ORG_A", "/api/v1/organizations/org_b?organization_id=org_a"}) {
    expect_problem(ask_as(key, target, "X-Org-Id: org_b\r\n"), 403, "wrong_organization");
  }
  expect_problem(ask(example.port(), request_with_body("/api/v1/organizations/org_b/members", "{}", key.bearer())), 403,
                 "wrong_organization");
  EXPECT_EQ(api.bytes(), "");
}

TEST_F(Recursiv, AuthEndpointsPassUntouched) {
  api.follow([](Turn& turn) {
    turn.read_body();
    turn.answer(200, R"({"token":"session-of-jane"})",
                "Content-Type: application/json\r\nSet-Cookie: better-auth.session_token=s; HttpOnly; Path=/\r\n");
  });
  const std::string body = R"({"name":"Jane","email":"jane@example.com","password":"Example-Passw0rd!"})";
  const CurlResult signed_up = curl({"-H", "Content-Type: application/json", "-H", "Origin: https://api.recursiv.io",
                                     "-d", body, example.url("/api/auth/sign-up/email")});
  EXPECT_EQ(signed_up.status, 200) << signed_up.body;
  EXPECT_EQ(signed_up.body, R"({"token":"session-of-jane"})");
  EXPECT_EQ(signed_up.fields["set-cookie"], "better-auth.session_token=s; HttpOnly; Path=/");
  const Request seen = api.only_request();
  EXPECT_EQ(seen.target, "/api/auth/sign-up/email");
  EXPECT_EQ(seen.fields["origin"], "https://api.recursiv.io");
  EXPECT_EQ(seen.fields["content-type"], "application/json");
  EXPECT_EQ(seen.body, body);

  // Its own session comes back to it, as a token and as a cookie, and says nothing to Keygate.
  api.forget();
  EXPECT_EQ(curl({"-H", "Authorization: Bearer session-of-jane", "-H", "Cookie: a=1; better-auth.session_token=s", "-H",
                  "Origin: https://api.recursiv.io", "-H", "X-Org-Id: org_a", "-H", "X-Auth-Method: session",
                  example.url("/api/auth/get-session?disableCookieCache=true")})
                .status,
            200);
  const Request session = api.only_request();
  EXPECT_EQ(session.target, "/api/auth/get-session?disableCookieCache=true");
  EXPECT_EQ(session.fields["authorization"], "Bearer session-of-jane");
  EXPECT_EQ(session.fields["cookie"], "a=1; better-auth.session_token=s");
  EXPECT_EQ(session.fields["origin"], "https://api.recursiv.io");
  EXPECT_EQ(session.fields["x-auth-method"], "anonymous");
  EXPECT_FALSE(session.fields.has("x-org-id"));
  // What lies beside /api/auth is not open.
  expect_problem(ask(example.port(), request_to("/api/authx/sign-up")), 403, "no_route");
  expect_problem(ask(example.port(), request_to("/api/auth/../v1/projects")), 400, "ambiguous_path");
}

TEST_F(Recursiv, KeysOfEachEnvironmentStayInTheirs) {
  const Key live = keys.create_key("org_a", "projects:read");
  const Key test = keys.create_key("org_a", "projects:read", {"--environment", "test"});
  EXPECT_TRUE(live.text.starts_with("sk_live_"));
  EXPECT_TRUE(test.text.starts_with("sk_test_"));
  EXPECT_EQ(ask_as(test, "/api/v1/projects").status, 200);
  EXPECT_EQ(staging.only_request().fields["x-environment"], "test");
  EXPECT_EQ(api.bytes(), "");
  EXPECT_EQ(seen_of(live, "/api/v1/projects").fields["x-environment"], "live");
}

TEST_F(Recursiv, KeyPassesAsABearerTokenAlone) {
  const Key key = keys.create_key("org_a", "projects:read");
  EXPECT_EQ(ask_as(key, "/api/v1/projects").status, 200);
  api.forget();
  expect_problem(ask(example.port(), request_to("/api/v1/projects")), 401, "missing_credential");
  EXPECT_EQ(curl({example.url("/api/v1/projects?api_key=nothing")}).status, 401);
  EXPECT_EQ(api.bytes(), "");
}

std::vector<GuardedRoute> guarded_routes() {
  std::vector<GuardedRoute> routes;
  for (const std::string resource :
       {"projects", "agents", "posts", "communities", "chat", "users", "notifications", "tags", "wallet", "commands",
        "settings", "billing", "memory", "databases", "storage"}) {
    routes.push_back({resource + "-read", "GET", "/api/v1/" + resource, resource + ":read"});
    routes.push_back({resource + "-write", "POST", "/api/v1/" + resource, resource + ":write"});
  }
  const std::vector<GuardedRoute> others{
      {"projects-deploy", "POST", "/api/v1/projects/p_1/deployments", "projects:write"},
      {"projects-execute", "POST", "/api/v1/projects/p_1/execute", "projects:write"},
      {"projects-sandboxes", "DELETE", "/api/v1/projects/p_1/sandboxes/s_1", "projects:write"},
      {"projects-read", "GET", "/api/v1/projects/p_1/sandboxes/s_1", "projects:read"},
      {"projects-read", "GET", "/api/v1/projects/p_1/deployments/d_1/logs", "projects:read"},
      {"projects-write", "DELETE", "/api/v1/projects/p_1", "projects:write"},
      {"agents-chat", "POST", "/api/v1/agents/a_1/chat", "agents:write"},
      {"agents-projects", "POST", "/api/v1/agents/a_1/projects/p_1", "agents:write"},
      {"posts-search", "POST", "/api/v1/posts/search", "posts:read"},
      {"posts-write", "POST", "/api/v1/posts/search/reactions", "posts:write"},
      {"databases-query", "POST", "/api/v1/databases/d_1/query", "databases:read"},
      {"databases-write", "PUT", "/api/v1/databases/d_1/query", "databases:write"},
      {"uploads-write", "POST", "/api/v1/uploads", "uploads:write"},
      {"organizations-list", "GET", "/api/v1/organizations", "organizations:read"},
      {"organizations-create", "POST", "/api/v1/organizations", "organizations:write"},
      {"organization-read", "GET", "/api/v1/organizations/org_a/settings", "organizations:read"},
      {"organization-write", "PATCH", "/api/v1/organizations/org_a", "organizations:write"},
      {"organization-members-read", "GET", "/api/v1/organizations/org_a/members", "organizations:read"},
      {"organization-members-write", "DELETE", "/api/v1/organizations/org_a/members/u_1", "organizations:write"},
      {"admin", "GET", "/api/v1/admin/users", "admin"},
      {"admin", "DELETE", "/api/v1/admin/users/u_1", "admin"},
  };
  routes.insert(routes.end(), others.begin(), others.end());
  return routes;
}

TEST_F(Recursiv, EveryScopeGuardsItsRoutes) {
  // In the other files: those that take something else than a key of one scope.
  std::set<std::string> names{"auth", "api-keys", "sandbox", "dispatcher-read", "dispatcher-write"};
  std::set<std::string> scopes;
  for (const GuardedRoute& route : guarded_routes()) {
    names.insert(route.name);
    scopes.insert(route.scope);
  }
  EXPECT_EQ(scopes, all_scopes);
  const std::string summary = example.command({"check"}).output;
  EXPECT_NE(summary.find("(" + std::to_string(names.size()) + " routes, 34 scopes)"), std::string::npos)
      << summary << "is not what the table holds";
  GuardCheck(example, keys, api, all_scopes).hold_against(guarded_routes(), "org_a");
}

TEST_F(Recursiv, H08_AnonymousSandboxRunsTenTimesADay) {
  const auto today = [] { return std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()); };
  const std::string code = R"js({"code":"console.log(1 + 1)","language":"typescript"})js";
  const auto day = today();
  int passed = 0;
  for (int i = 0; i < 25; ++i) {
    const std::string claim = "X-Forwarded-For: 198.51.100." + std::to_string(i) + "\r\n";
    const Response response = ask(example.port(), request_with_body("/api/v1/sandbox/try", code, claim));
    passed += response.status == 200 ? 1 : 0;
    EXPECT_EQ(response.fields["ratelimit-limit"], "10");
    if (response.status != 200) {
      expect_problem(response, 429, "rate_limited");
    }
  }
  EXPECT_TRUE(passed == 10 || (day != today() && passed <= 20)) << passed;
  EXPECT_EQ(api.requests().size(), static_cast<std::size_t>(passed));
}

// The service as recursiv_client.py expects it: it says what it was sent.
void answer_with_what_was_sent(Turn& turn) {
  const std::string& body = turn.read_body();
  const Request& request = turn.request();
  const boost::json::object answer{{"data",
                                    {{"method", request.method},
                                     {"target", request.target},
                                     {"organization_id", request.fields["x-org-id"]},
                                     {"content_type", request.fields["content-type"]},
                                     {"body", body}}}};
  turn.answer(200, boost::json::serialize(answer), "Content-Type: application/json\r\n");
}

TEST_F(Recursiv, APythonClientKeepsItsConnection) {
  api.follow(answer_with_what_was_sent);
  const Key key = keys.create_key("org_python", "projects:read,projects:write");
  const std::string script = (source_folder() / "tests/scenario/clients/recursiv_client.py").string();
  const Finished finished = run(
      {{"python3", "-B", script}, {"RECURSIV_BASE_URL=" + example.url(""), "RECURSIV_API_KEY=" + key.text}, "", ""});
  EXPECT_EQ(finished.status.code, 0) << finished.errors;
  EXPECT_EQ(finished.output, "11 answers in one session, 2 on their own\n") << finished.errors;
}

}  // namespace
}  // namespace keygate::test
