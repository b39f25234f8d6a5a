// config/examples/better-auth with the real Better Auth of npm, where that is installed: in the example's folder, or in
// the one that BETTER_AUTH_MODULES names.
#include "tests/support/raw_client.hpp"
#include "tests/support/recording_upstream.hpp"
#include "tests/support/scenario.hpp"
#include "tests/support/shipped_example.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <signal.h>
#include <string>

namespace keygate::test {
namespace {

namespace json = boost::json;

std::filesystem::path modules() {
  const char* const named = std::getenv("BETTER_AUTH_MODULES");
  return named != nullptr ? std::string(named) : example_file("better-auth", "node_modules");
}

class BetterAuth : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(modules() / "better-auth/package.json")) {
      GTEST_SKIP() << "Better Auth is not installed, so nothing here was tested: npm install --prefix "
                      "config/examples/better-auth, or BETTER_AUTH_MODULES=/path/to/node_modules";
    }
    directory.write("keygate.token", token + "\n");
    directory.write("server.mjs", read_file(example_file("better-auth", "server.mjs")));
    std::filesystem::create_symlink(modules(), directory / "node_modules");
    const std::string address = address_of(port);
    app = std::make_unique<Process>(Command{{"node", "server.mjs"},
                                            {"PORT=" + std::to_string(port), "KEYGATE_TOKEN=" + token,
                                             "BETTER_AUTH_SECRET=0123456789abcdef0123456789abcdef"},
                                            directory.path().string(),
                                            ""});
    ASSERT_TRUE(eventually([&] { return app->exited() || app->output().find("listening") != std::string::npos; }));
    ASSERT_FALSE(app->exited()) << app->errors();
    example = std::make_unique<ShippedExample>(
        "better-auth", std::vector<std::string>{"APP_URL=" + address, "KEYGATE_TOKENS=" + directory.path().string(),
                                                "STALENESS_BOUND=1s"});
    example->start();
    sign_up();
  }
  void TearDown() override {
    if (!example) return;
    example->stop();
    EXPECT_FALSE(example->is_key_in(example->output() + example->errors() + app->output() + app->errors()));
  }

  Response post(const std::string& target, const std::string& body, const std::string& fields = "") {
    return ask(example->port(),
               request_with_body(target, body,
                                 fields + "Content-Type: application/json\r\nOrigin: " + address_of(port) + "\r\n"));
  }
  static json::object object_in(const Response& response) {
    const json::value value = json::parse(response.body);
    return value.is_object() ? value.as_object() : json::object();
  }

  void sign_up() {
    const Response response =
        post("/api/auth/sign-up/email", R"({"name":"Jane","email":"jane@example.com","password":"Example-Passw0rd!"})");
    ASSERT_EQ(response.status, 200) << response.body;
    bearer = "Authorization: Bearer " + text_of(object_in(response), "token") + "\r\n";
    const std::string set = response.fields["set-cookie"];
    cookie = "Cookie: " + set.substr(0, set.find(';')) + "\r\n";
    user = text_of(object_in(response).at("user").as_object(), "id");
    const Response founded = post("/api/auth/organization/create", R"({"name":"Acme","slug":"acme"})", bearer);
    ASSERT_EQ(founded.status, 200) << founded.body;
    organization = text_of(object_in(founded), "id");
  }
  Key create_key(const std::string& scopes) {
    const Response made = post("/api/v1/api-keys", R"({"name":"ci","scopes":[)" + scopes + "]}", bearer);
    EXPECT_EQ(made.status, 201) << made.body;
    const Key key{text_of(object_in(made), "id"), text_of(object_in(made), "key")};
    example->remember(key);
    return key;
  }
  Response get(const std::string& target, const std::string& fields) {
    return ask(example->port(), request_to(target, fields));
  }

  const std::string token = "token-of-the-proxy-0123456789abcdef";
  TempDir directory;
  std::uint16_t port = free_port();
  std::unique_ptr<Process> app;
  std::unique_ptr<ShippedExample> example;
  std::string bearer, cookie, user, organization;
};

TEST_F(BetterAuth, SessionPassesAsItsCookieAndAsAToken) {
  for (const std::string& fields : {cookie, bearer}) {
    const Response response = get("/api/v1/projects", fields);
    ASSERT_EQ(response.status, 200) << response.body;
    const auto told = object_in(response);
    EXPECT_EQ(text_of(told, "x-auth-method"), "session");
    EXPECT_EQ(text_of(told, "x-user-id"), user);
    EXPECT_EQ(text_of(told, "x-org-id"), organization);
    EXPECT_EQ(text_of(told, "x-scopes"), "projects:read projects:write");
  }
  expect_problem(get("/api/v1/projects", "Authorization: Bearer nobody\r\n"), 401, "invalid_session");
}

TEST_F(BetterAuth, KeyHasTheScopesThatItsPermissionsSay) {
  const Key key = create_key(R"("projects:read")");
  const Response response = get("/api/v1/projects", key.bearer());
  ASSERT_EQ(response.status, 200) << response.body;
  const auto told = object_in(response);
  EXPECT_EQ(text_of(told, "x-auth-method"), "api_key");
  EXPECT_EQ(text_of(told, "x-key-id"), key.id);
  EXPECT_EQ(text_of(told, "x-org-id"), organization);
  EXPECT_EQ(text_of(told, "x-scopes"), "projects:read");
  expect_problem(post("/api/v1/projects", "{}", key.bearer()), 403, "insufficient_scope");
  expect_problem(post("/api/v1/api-keys", "{}", key.bearer()), 403, "credential_not_accepted");
  expect_problem(get("/api/v1/projects", "X-Api-Key: sk_live_" + std::string(64, 'a') + "\r\n"), 401, "invalid_key");
  expect_problem(get("/internal/keys/verify", key.bearer()), 403, "no_route");
  EXPECT_EQ(post("/api/v1/api-keys", R"({"name":"k","scopes":["projects:delete"]})", bearer).status, 422);
}

TEST_F(BetterAuth, DisabledAndDeletedKeysAreRefusedWithinTheBound) {
  const Key key = create_key(R"("projects:read")");
  EXPECT_EQ(get("/api/v1/projects", key.bearer()).status, 200);
  const std::string id = R"("keyId":")" + key.id + "\"";
  const Response disabled = post("/api/auth/api-key/update", "{" + id + R"(,"enabled":false})", bearer);
  EXPECT_EQ(disabled.status, 200) << disabled.body;
  EXPECT_TRUE(settles([&] { return get("/api/v1/projects", key.bearer()).status == 401; }));
  expect_problem(get("/api/v1/projects", key.bearer()), 401, "disabled_key");
  EXPECT_EQ(post("/api/auth/api-key/delete", "{" + id + "}", bearer).status, 200);
  EXPECT_TRUE(
      settles([&] { return get("/api/v1/projects", key.bearer()).body.find("\"invalid_key\"") != std::string::npos; }));
}

TEST_F(BetterAuth, SignedOutSessionIsRefusedWithinTheBound) {
  EXPECT_EQ(get("/api/v1/projects", cookie).status, 200);
  EXPECT_EQ(post("/api/auth/sign-out", "{}", cookie).status, 200);
  EXPECT_TRUE(settles([&] { return get("/api/v1/projects", cookie).status == 401; }));
  expect_problem(get("/api/v1/projects", cookie), 401, "invalid_session");
}

TEST_F(BetterAuth, WhatItCannotFindOutIsNoRefusal) {
  const Key key = create_key(R"("projects:read")");
  app->signal(SIGKILL);
  ASSERT_TRUE(app->wait());
  expect_problem(get("/api/v1/projects", key.bearer()), 503, "key_service_unavailable");
  expect_problem(get("/api/v1/projects", "Cookie: better-auth.session_token=x.y\r\n"), 503, "key_service_unavailable");
}

}  // namespace
}  // namespace keygate::test
