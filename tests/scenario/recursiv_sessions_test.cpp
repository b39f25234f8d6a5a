// Recursiv's sessions as its page has them: a browser's cookie, the session's token as Bearer, and the way from nothing
// to a key that an agent goes.
#include "tests/scenario/recursiv.hpp"
#include "tests/support/curl.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace keygate::test {
namespace {

namespace json = boost::json;

const std::string as_token = "Authorization: Bearer session-of-jane\r\n";
const std::string as_cookie = "Cookie: theme=dark; better-auth.session_token=session-of-jane\r\n";

class RecursivSessions : public Recursiv {
 protected:
  void SetUp() override {
    Recursiv::SetUp();
    sessions.begin("session-of-jane", {"user_jane", "org_a"});
  }

  static std::string digest_of(const std::string& session) {
    const TempDir directory;
    return sha256_of_file(directory.write("session", session));
  }
  // Shared by now, so that every worker knows it.
  bool is_remembered(const std::string& session) {
    return keys.redis().command({"GET", "keygate:v1:session:" + digest_of(session)}).find("\"valid\"") !=
           std::string::npos;
  }
  // Tells the proxies that a session has changed, as the API would where somebody signs out.
  void push_end_of(const std::string& session) {
    const std::string digest = digest_of(session);
    const std::string tombstone = R"({"v":1,"digest":")" + digest + R"(","state":"revoked"})";
    EXPECT_EQ(keys.redis().command({"SET", "keygate:v1:session:" + digest, tombstone, "EX", "60"}), "OK");
    EXPECT_NE(keys.redis().command({"PUBLISH", "keygate:v1:invalidate", digest}), "0");
  }
};

TEST_F(RecursivSessions, SessionPassesAsACookieAndAsAToken) {
  for (const std::string& fields :
       {as_token, as_cookie, std::string("Cookie: __Secure-better-auth.session_token=session-of-jane\r\n")}) {
    const Request seen = seen_with(fields + "X-Org-Id: org_b\r\n", "/api/v1/projects");
    EXPECT_EQ(seen.fields["x-auth-method"], "session") << fields;
    EXPECT_EQ(seen.fields["x-org-id"], "org_a") << fields;
    EXPECT_EQ(seen.fields["x-user-id"], "user_jane") << fields;
    EXPECT_FALSE(seen.fields.has("authorization")) << fields;
    EXPECT_EQ(seen.fields["cookie"], fields == as_cookie ? "theme=dark" : "(absent)") << fields;
  }
}

TEST_F(RecursivSessions, SessionMayAllThatIsNotRestrictedInItsOrganization) {
  const Request seen = seen_with(as_token, "/api/v1/organizations/org_a/members");
  EXPECT_NE(seen.fields["x-scopes"].find("billing:write"), std::string::npos);
  EXPECT_EQ(seen.fields["x-scopes"].find("admin"), std::string::npos);
  api.forget();
  expect_problem(ask_with(as_token, "/api/v1/organizations/org_b/members"), 403, "wrong_organization");
  expect_problem(ask_with(as_token, "/api/v1/admin/users"), 401, "malformed_key");
  expect_problem(ask_with(as_cookie, "/api/v1/admin/users"), 403, "credential_not_accepted");
  EXPECT_EQ(api.bytes(), "");
}

TEST_F(RecursivSessions, CookieFromAnotherSiteChangesNothing) {
  const std::string own = "Origin: http://api.local\r\n", other = "Origin: https://evil.example\r\n";
  EXPECT_EQ(seen_with(as_cookie + own, "/api/v1/projects", "POST").fields["x-auth-method"], "session");
  api.forget();
  expect_problem(ask_with(as_cookie + other, "/api/v1/projects", "POST"), 403, "cross_site");
  expect_problem(ask_with(as_cookie, "/api/v1/projects", "DELETE"), 403, "cross_site");
  // The browser says so itself, whatever Origin looks like.
  expect_problem(ask_with(as_cookie + own + "Sec-Fetch-Site: cross-site\r\n", "/api/v1/projects", "POST"), 403,
                 "cross_site");
  EXPECT_EQ(api.bytes(), "");
  const std::string same = "Sec-Fetch-Site: same-origin\r\n";
  EXPECT_EQ(seen_with(as_cookie + same, "/api/v1/projects", "POST").fields["x-auth-method"], "session");
  // Nobody sends a Bearer token by accident.
  EXPECT_EQ(seen_with(as_token + other, "/api/v1/projects", "POST").fields["x-auth-method"], "session");
}

TEST_F(RecursivSessions, UnknownAndExpiredSessionsAreRefused) {
  expect_problem(ask_with("Authorization: Bearer session-of-nobody\r\n", "/api/v1/projects"), 401, "invalid_session");
  expect_problem(ask_with("Cookie: better-auth.session_token=nobody\r\n", "/api/v1/projects"), 401, "invalid_session");
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  sessions.begin("short", {"user_jim", "org_a", "live", "", static_cast<long>(now.count()) + 2});
  const std::string fields = "Authorization: Bearer short\r\n";
  EXPECT_EQ(ask_with(fields, "/api/v1/projects").status, 200);
  EXPECT_TRUE(settles([&] { return ask_with(fields, "/api/v1/projects").status == 401; }));
  expect_problem(ask_with(fields, "/api/v1/projects"), 401, "invalid_session");
}

TEST_F(RecursivSessions, WhoeverSignsOutIsRefusedAtOnceWhereThatIsPushed) {
  EXPECT_EQ(ask_with(as_token, "/api/v1/projects").status, 200);
  ASSERT_TRUE(eventually([&] { return is_remembered("session-of-jane"); }));
  sessions.end("session-of-jane");
  EXPECT_EQ(ask_with(as_token, "/api/v1/projects").status, 200) << "remembered, for at most the bound";
  push_end_of("session-of-jane");
  EXPECT_TRUE(settles([&] { return ask_with(as_token, "/api/v1/projects").status == 401; }));
  expect_problem(ask_with(as_token, "/api/v1/projects"), 401, "invalid_session");
}

TEST_F(RecursivSessions, AKeyIsNoSessionAndASessionIsNoKey) {
  const Key key = keys.create_key("org_b", "projects:read");
  EXPECT_EQ(seen_with(as_cookie + key.bearer(), "/api/v1/projects").fields["x-org-id"], "org_b") << "the key counts";
  expect_problem(ask_with("Cookie: better-auth.session_token=" + key.text + "\r\n", "/api/v1/api-keys"), 403,
                 "credential_not_accepted");
  expect_problem(ask_as(key, "/api/v1/api-keys"), 403, "credential_not_accepted");
}

// The API's own part: it asks the key server for a key, for whom Keygate says is signed in.
void make_keys(Turn& turn, const ShippedKeyService& keys, const std::string& port) {
  const std::string body = turn.read_body();
  const Request& request = turn.request();
  const bool is_for_keys = request.target == "/api/v1/api-keys" && request.method == "POST";
  if (!is_for_keys) {
    turn.answer(200, R"({"port":)" + port + "}", "Content-Type: application/json\r\n");
    return;
  }
  std::string behalf;
  for (const char* const name : {"X-Org-Id", "X-User-Id", "X-Scopes", "X-Environment"}) {
    behalf += std::string(name) + ": " + request.fields[name] + "\r\n";
  }
  const Response made = keys.call("POST", "/v1/keys", "manage", body, behalf);
  turn.answer(made.status, made.status == 201 ? R"({"data":)" + made.body + "}" : made.body,
              "Content-Type: application/json\r\n");
}

class RecursivOnboarding : public RecursivSessions {
 protected:
  void SetUp() override {
    RecursivSessions::SetUp();
    api.follow([this](Turn& turn) { make_keys(turn, keys, std::to_string(api.port())); });
  }
  CurlResult create(const std::string& body) {
    return curl({"-H", "Content-Type: application/json", "-H", "Authorization: Bearer session-of-jane", "-d", body,
                 example.url("/api/v1/api-keys")});
  }
};

TEST_F(RecursivOnboarding, FromASessionToAKeyToTheApi) {
  const CurlResult created = create(R"({"name":"agent-key","scopes":["projects:read","projects:write"]})");
  ASSERT_EQ(created.status, 201) << created.body;
  const auto made = json::parse(created.body).at("data").as_object();
  const Key key{text_of(made, "key_id"), text_of(made, "key")};
  keys.remember(key);
  EXPECT_TRUE(key.text.starts_with("sk_live_"));
  EXPECT_EQ(text_of(keys.listed(key), "name"), "agent-key");
  const Request seen = seen_of(key, "/api/v1/projects");
  EXPECT_EQ(seen.fields["x-org-id"], "org_a");
  EXPECT_EQ(seen.fields["x-scopes"], "projects:read projects:write");
  expect_problem(ask_as(key, "/api/v1/agents"), 403, "insufficient_scope");
}

TEST_F(RecursivOnboarding, UnknownAndRestrictedScopesAreInvalidAtCreation) {
  for (const char* const scope : {"projects:execute", "admin", "*", "sandbox:try"}) {
    const CurlResult refused = create(R"({"name":"k","scopes":["projects:read",")" + std::string(scope) + R"("]})");
    EXPECT_EQ(refused.status, 422) << scope;
    EXPECT_NE(refused.body.find("\"invalid_scope\""), std::string::npos) << refused.body;
  }
  EXPECT_EQ(keys.command({"keys", "list", "--json"}).output, "{\"keys\":[]}\n");
}

}  // namespace
}  // namespace keygate::test
