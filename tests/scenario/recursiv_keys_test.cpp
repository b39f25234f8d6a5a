// The life of a Recursiv key as its page has it: scopes at creation, rotation, revocation; and the shared secret of the
// dispatcher.
#include "tests/scenario/recursiv.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

TEST_F(Recursiv, UnknownScopeIsRefusedAtCreation) {
  for (const char* scopes : {"projects:execute", "projects:read,uploads:read", "Projects:Read", "sandbox:*"}) {
    const Finished refused =
        keys.command({"keys", "create", "--organization", "org_a", "--environment", "live", "--scopes", scopes});
    EXPECT_EQ(refused.status.code, 1) << scopes;
    EXPECT_EQ(refused.output, "") << scopes;
    EXPECT_TRUE(refused.errors.starts_with("invalid_scope: ")) << refused.errors;
  }
  EXPECT_EQ(keys.command({"keys", "list", "--json"}).output, "{\"keys\":[]}\n");
}

TEST_F(Recursiv, AdminScopeIsRestricted) {
  const std::vector<std::string> create{"keys", "create", "--organization", "org_a", "--environment", "live"};
  std::vector<std::string> with_admin = create;
  with_admin.insert(with_admin.end(), {"--scopes", "projects:read,admin"});
  const Finished refused = keys.command(with_admin);
  EXPECT_EQ(refused.status.code, 1);
  EXPECT_TRUE(refused.errors.starts_with("restricted_scope: ")) << refused.errors;

  const Key everything = keys.create_key("org_a", "*");
  expect_problem(ask_as(everything, "/api/v1/admin/users"), 403, "insufficient_scope");
  EXPECT_EQ(seen_of(everything, "/api/v1/projects").fields["x-scopes"].find("admin"), std::string::npos);
  const Key admin = keys.create_key("org_a", "admin", {"--environment", "live", "--allow-restricted"});
  EXPECT_EQ(seen_of(admin, "/api/v1/admin/users").fields["x-scopes"], "admin");
  expect_problem(ask_as(admin, "/api/v1/projects"), 403, "insufficient_scope");
}

TEST_F(Recursiv, OldKeyLivesUntilItIsRevoked) {
  const Key old = keys.create_key("org_a", "projects:read");
  const Key made = keys.create_key("org_a", "projects:read");
  EXPECT_EQ(ask_as(old, "/api/v1/projects").status, 200);
  EXPECT_EQ(ask_as(made, "/api/v1/projects").status, 200);
  EXPECT_EQ(keys.command({"keys", "revoke", old.id}).status.code, 0);
  EXPECT_TRUE(settles([&] { return ask_as(old, "/api/v1/projects").status == 401; }));
  EXPECT_EQ(ask_as(made, "/api/v1/projects").status, 200);
}

TEST_F(Recursiv, RotatedKeyLivesForItsGraceAndThenEnds) {
  const Key old = keys.create_key("org_a", "projects:read");
  const auto rotate = [&](const std::string& grace) {
    const Finished rotated = keys.command({"keys", "rotate", old.id, "--grace", grace, "--json"});
    EXPECT_EQ(rotated.status.code, 0) << rotated.errors;
    const auto made = boost::json::parse(rotated.output).as_object();
    const Key next{text_of(made, "key_id"), text_of(made, "key")};
    keys.remember(next);
    return next;
  };
  EXPECT_EQ(ask_as(old, "/api/v1/projects").status, 200);
  const Key next = rotate("24h");
  EXPECT_EQ(ask_as(old, "/api/v1/projects").status, 200);
  EXPECT_EQ(seen_of(next, "/api/v1/projects").fields["x-scopes"], "projects:read");
  // A shorter grace is heard of, though the proxy remembers the longer one.
  rotate("1s");
  EXPECT_TRUE(settles([&] { return ask_as(old, "/api/v1/projects").status == 401; }));
  expect_problem(ask_as(old, "/api/v1/projects"), 401, "expired_key");
  EXPECT_EQ(ask_as(next, "/api/v1/projects").status, 200);
}

TEST_F(Recursiv, RevokedKeyIsRefusedWithinTheBoundAndForGood) {
  const Key key = keys.create_key("org_a", "projects:read");
  EXPECT_EQ(ask_as(key, "/api/v1/projects").status, 200);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(keys.call("DELETE", "/v1/keys/" + key.id, "admin").status, 200);
  EXPECT_TRUE(settles([&] { return ask_as(key, "/api/v1/projects").status == 401; }, std::chrono::seconds(60)));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
  expect_problem(ask_as(key, "/api/v1/projects"), 401, "revoked_key");
  EXPECT_EQ(keys.command({"keys", "rotate", key.id}).status.code, 1);
  example.stop();
  example.start();
  expect_problem(ask_as(key, "/api/v1/projects"), 401, "revoked_key");
}

TEST_F(Recursiv, SharedSecretSeesAllOrganizationsOnTheDispatchersRoutes) {
  const std::string secret = "Authorization: Bearer " + dispatcher_secret + "\r\n";
  const Request seen = seen_with(secret + "X-Org-Id: org_a\r\n", "/api/v1/dispatcher/tasks");
  EXPECT_EQ(seen.fields["x-auth-method"], "admin");
  EXPECT_EQ(seen.fields["x-scopes"], "admin");
  EXPECT_EQ(seen.fields["x-key-id"], "dispatcher");
  EXPECT_FALSE(seen.fields.has("x-org-id") || seen.fields.has("authorization"));
  EXPECT_EQ(seen_with(secret, "/api/v1/dispatcher/tasks/t_1/claim", "POST").fields["x-auth-method"], "admin");
  api.forget();
  for (const char* const target : {"/api/v1/projects", "/api/v1/organizations/org_a", "/api/v1/admin/users"}) {
    expect_problem(ask_with(secret, target), 403, "credential_not_accepted");
  }
  expect_problem(ask_with("Authorization: Bearer " + dispatcher_secret + "x\r\n", "/api/v1/dispatcher/tasks"), 401,
                 "malformed_key");
  const Key key = keys.create_key("org_a", "*");
  expect_problem(ask_with(secret + "Authorization: Bearer " + key.text + "\r\n", "/api/v1/dispatcher/tasks"), 400,
                 "ambiguous_credential");
  EXPECT_EQ(api.bytes(), "");
}

TEST_F(Recursiv, KeySeesItsOwnOrganizationAtTheDispatcher) {
  const Key a = keys.create_key("org_a", "agents:read");
  const Request seen = seen_of(a, "/api/v1/dispatcher/tasks", "X-Org-Id: org_b\r\n");
  EXPECT_EQ(seen.fields["x-org-id"], "org_a");
  EXPECT_EQ(seen.fields["x-auth-method"], "api_key");
  api.forget();
  const Key none = keys.create_key("org_a", "projects:read,agents:write");
  expect_problem(ask_as(none, "/api/v1/dispatcher/tasks"), 403, "insufficient_scope");
  expect_problem(ask_as(a, "/api/v1/projects"), 403, "insufficient_scope");
  EXPECT_EQ(api.bytes(), "");
}

}  // namespace
}  // namespace keygate::test
