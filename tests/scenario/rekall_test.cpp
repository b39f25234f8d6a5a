// config/examples/rekall does what Rekall's page on API keys promises its customers.
#include "tests/support/curl.hpp"
#include "tests/support/guarded_routes.hpp"
#include "tests/support/shipped_example.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

const std::string read_only = "memories:read,entities:read,relationships:read";

class Rekall : public testing::Test {
 protected:
  void SetUp() override { example.start(); }

  void TearDown() override {
    example.stop();
    EXPECT_FALSE(example.is_key_in(example.output() + example.errors()));
    EXPECT_FALSE(example.is_key_in(production.everything()));
    EXPECT_FALSE(sandbox && example.is_key_in(sandbox->everything()));
  }

  CurlResult call(const Key& key, std::string_view target, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.end(), {"-H", "Authorization: Bearer " + key.text, example.url(target)});
    return curl(arguments);
  }
  std::string code_of(const Key& key, std::string_view target = "/v1/memories") {
    const Response response = ask(example.port(), request_to(target, key.bearer()));
    return response.status == 200 ? "ok" : text_of(boost::json::parse(response.body).as_object(), "code");
  }

  RecordingUpstream production;
  std::unique_ptr<RecordingUpstream> sandbox = std::make_unique<RecordingUpstream>();
  ShippedExample example{
      "rekall",
      {"REKALL_PRODUCTION_URL=" + address_of(production.port()), "REKALL_SANDBOX_URL=" + address_of(sandbox->port())}};
};

TEST_F(Rekall, ReadOnlyKeyCannotWrite) {
  const Key key = example.create_key("org_1", read_only);
  for (const char* target : {"/v1/memories", "/v1/memories/mem_1", "/v1/entities", "/v1/relationships/rel_1"}) {
    EXPECT_EQ(call(key, target).status, 200) << target;
  }
  EXPECT_EQ(call(key, "/v1/memories/search", {"-d", R"({"query":"lunch"})"}).status, 200);
  production.forget();
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    for (const char* target : {"/v1/memories/mem_1", "/v1/entities/ent_1", "/v1/relationships/rel_1"}) {
      const CurlResult refused = call(key, target, {"-X", method, "-d", "{}"});
      EXPECT_EQ(refused.status, 403) << method << " " << target;
      EXPECT_NE(refused.body.find("\"insufficient_scope\""), std::string::npos) << refused.body;
    }
  }
  EXPECT_EQ(production.bytes(), "");
}

TEST_F(Rekall, WritingDoesNotIncludeReadingOrDeleting) {
  const Key key = example.create_key("org_1", "memories:write");
  EXPECT_EQ(call(key, "/v1/memories", {"-d", "{}"}).status, 200);
  EXPECT_EQ(code_of(key), "insufficient_scope");
  EXPECT_EQ(call(key, "/v1/memories/mem_1", {"-X", "DELETE"}).status, 403);
}

TEST_F(Rekall, KeyWorksInAllThreePlacesAndIsStripped) {
  const Key key = example.create_key("org_1", read_only);
  const auto seen_after = [&](const std::vector<std::string>& arguments) {
    production.forget();
    const CurlResult result = curl(arguments);
    EXPECT_EQ(result.status, 200) << result.body << result.errors;
    const Request seen = production.only_request();
    EXPECT_FALSE(seen.fields.has("authorization") || seen.fields.has("x-api-key"));
    EXPECT_EQ(seen.fields["x-org-id"], "org_1");
    EXPECT_EQ(seen.fields["x-key-id"], key.id);
    return seen.target;
  };
  const std::string json = "Content-Type: application/json";
  EXPECT_EQ(seen_after({"-H", json, "-H", "Authorization: Bearer " + key.text, example.url("/v1/memories?limit=2")}),
            "/v1/memories?limit=2");
  EXPECT_EQ(seen_after({"-H", json, "-H", "x-api-key: " + key.text, example.url("/v1/memories")}), "/v1/memories");
  EXPECT_EQ(seen_after({example.url("/v1/memories?api_key=" + key.text)}), "/v1/memories");
  EXPECT_EQ(seen_after({example.url("/v1/memories?q=a%20b&api_key=" + key.text + "&limit=2")}),
            "/v1/memories?q=a%20b&limit=2");
}

TEST_F(Rekall, TwoDifferentKeysInOneRequestAreRefused) {
  const Key one = example.create_key("org_1", read_only);
  const Key other = example.create_key("org_2", read_only);
  EXPECT_EQ(call(one, "/v1/memories?api_key=" + other.text).status, 400);
  EXPECT_EQ(call(one, "/v1/memories?api_key=" + one.text).status, 200);
}

TEST_F(Rekall, TestKeyNeverReachesProduction) {
  const Key test = example.create_key("org_1", "*", {"--environment", "test"});
  const Key live = example.create_key("org_1", "*");
  EXPECT_TRUE(test.text.starts_with("rk_test_"));
  EXPECT_EQ(call(live, "/v1/memories").status, 200);
  EXPECT_EQ(sandbox->bytes(), "");
  production.forget();
  for (const char* field : {"X-Environment: live", "X-Auth-Method: admin", "Host: production"}) {
    EXPECT_EQ(call(test, "/v1/memories", {"-H", field}).status, 200);
  }
  EXPECT_EQ(curl({example.url("/v1/memories?api_key=" + test.text)}).status, 200);
  EXPECT_EQ(sandbox->requests().size(), 4U);
  for (const Request& seen : sandbox->requests()) {
    EXPECT_EQ(seen.fields["x-environment"], "test");
  }
  sandbox.reset();
  for (const char* method : {"GET", "POST", "DELETE"}) {
    EXPECT_EQ(call(test, "/v1/memories/mem_1", {"-X", method}).status, 502) << method;
  }
  EXPECT_EQ(production.bytes(), "");
}

TEST_F(Rekall, KeyHas48CharactersAndItsPrefixSaysItsEnvironment) {
  const Key live = example.create_key("org_1", read_only);
  const Key test = example.create_key("org_1", read_only, {"--environment", "test"});
  for (const Key& key : {live, test}) {
    EXPECT_EQ(key.text.size(), 48U);
    EXPECT_EQ(key.text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"),
              std::string::npos);
  }
  EXPECT_TRUE(live.text.starts_with("rk_") && !live.text.starts_with("rk_test_"));
  for (const std::string& text :
       {live.text.substr(0, 47), live.text + "A", "sk_" + live.text.substr(3), std::string("rk_your_api_key_here")}) {
    EXPECT_EQ(code_of({"", text}), "malformed_key") << text.substr(0, 12);
  }
  // As it looks, and yet nobody's.
  EXPECT_EQ(code_of({"", "rk_" + std::string(45, 'a')}), "invalid_key");
}

TEST_F(Rekall, KeyIsShownOnceAndListedWithNameScopesAndLastUse) {
  const Key key = example.create_key("org_1", read_only, {"--environment", "live", "--name", "Read-Only Dashboard"});
  EXPECT_EQ(text_of(example.listed(key), "last_used_at"), "");
  EXPECT_EQ(call(key, "/v1/memories").status, 200);
  EXPECT_TRUE(eventually([&] { return !text_of(example.listed(key), "last_used_at").empty(); }));
  const auto listed = example.listed(key);
  EXPECT_EQ(text_of(listed, "name"), "Read-Only Dashboard");
  EXPECT_EQ(text_of(listed, "scopes"), R"(["memories:read","entities:read","relationships:read"])");
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"keys", "list"}, {"keys", "list", "--json"}, {"keys", "show", key.id}}) {
    EXPECT_FALSE(example.is_key_in(example.command(verb).output));
  }
}

TEST_F(Rekall, RotationKeepsBothKeysAlive) {
  // As the page has it: make one, move over, revoke the other.
  const Key old = example.create_key("org_1", read_only);
  const Key made = example.create_key("org_1", read_only);
  EXPECT_EQ(code_of(old), "ok");
  EXPECT_EQ(code_of(made), "ok");
  EXPECT_EQ(example.command({"keys", "revoke", old.id}).status.code, 0);
  EXPECT_TRUE(eventually([&] { return code_of(old) == "revoked_key"; }));
  EXPECT_EQ(code_of(made), "ok");
  // In one step: the same scopes and environment, and the old one lives for the grace.
  const Finished rotated = example.command({"keys", "rotate", made.id, "--grace", "7d", "--json"});
  ASSERT_EQ(rotated.status.code, 0) << rotated.errors;
  const auto next = boost::json::parse(rotated.output).as_object();
  const Key third{text_of(next, "key_id"), text_of(next, "key")};
  EXPECT_TRUE(third.text.starts_with("rk_"));
  EXPECT_EQ(code_of(made), "ok");
  EXPECT_EQ(code_of(third), "ok");
  EXPECT_EQ(text_of(example.listed(third), "scopes"), text_of(example.listed(made), "scopes"));
}

TEST_F(Rekall, RevokedKeyIsRefusedWithinTheBound) {
  const Key key = example.create_key("org_1", read_only);
  RawClient client(example.port());
  EXPECT_EQ(client.ask(request_to("/v1/memories", key.bearer())).status, 200);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(example.command({"keys", "revoke", key.id}).status.code, 0);
  EXPECT_TRUE(eventually([&] { return client.ask(request_to("/v1/memories", key.bearer())).status == 401; },
                         std::chrono::seconds(60)));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
  expect_problem(client.ask(request_to("/v1/memories", key.bearer())), 401, "revoked_key");
}

TEST_F(Rekall, RevocationIsPermanent) {
  const Key key = example.create_key("org_1", read_only);
  EXPECT_EQ(example.command({"keys", "revoke", key.id}).status.code, 0);
  const std::string revoked_at = text_of(example.listed(key), "revoked_at");
  EXPECT_EQ(example.command({"keys", "rotate", key.id}).status.code, 1);
  EXPECT_EQ(example.command({"keys", "revoke", key.id}).status.code, 0);
  EXPECT_EQ(text_of(example.listed(key), "revoked_at"), revoked_at);
  EXPECT_EQ(text_of(example.listed(key), "state"), "revoked");
  example.stop();
  example.start();
  EXPECT_EQ(code_of(key), "revoked_key");
}

TEST_F(Rekall, ExpiredKeyIsRefused) {
  const Key key = example.create_key("org_1", read_only, {"--environment", "live", "--expires-in", "2s"});
  RawClient client(example.port());
  EXPECT_EQ(client.ask(request_to("/v1/memories", key.bearer())).status, 200);
  EXPECT_TRUE(eventually([&] { return client.ask(request_to("/v1/memories", key.bearer())).status == 401; }));
  expect_problem(client.ask(request_to("/v1/memories", key.bearer())), 401, "expired_key");
  // The list's clock may be a tick behind the proxy's.
  EXPECT_TRUE(eventually([&] { return text_of(example.listed(key), "state") == "expired"; }));
}

TEST_F(Rekall, KeyMayExpireIn90Days) {
  const Key key = example.create_key("org_1", "memories:read,memories:write", {"--env", "live", "--expires-in", "90d"});
  EXPECT_EQ(code_of(key), "ok");
  const auto listed = example.listed(key);
  EXPECT_EQ(text_of(listed, "state"), "valid");
  EXPECT_GT(text_of(listed, "expires_at"), text_of(listed, "created_at"));
}

const std::vector<GuardedRoute> guarded_routes{
    {"memories-read", "GET", "/v1/memories/mem_1", "memories:read"},
    {"memories-search", "POST", "/v1/memories/search", "memories:read"},
    {"memories-write", "POST", "/v1/memories", "memories:write"},
    {"memories-delete", "DELETE", "/v1/memories/mem_1", "memories:delete"},
    {"entities-read", "GET", "/v1/entities", "entities:read"},
    {"entities-write", "PATCH", "/v1/entities/ent_1", "entities:write"},
    {"entities-delete", "DELETE", "/v1/entities/ent_1", "entities:delete"},
    {"relationships-read", "GET", "/v1/relationships", "relationships:read"},
    {"relationships-write", "PUT", "/v1/relationships/rel_1", "relationships:write"},
    {"relationships-delete", "DELETE", "/v1/relationships/rel_1", "relationships:delete"},
    {"webhooks-read", "GET", "/v1/webhooks", "webhooks:read"},
    {"webhooks-write", "DELETE", "/v1/webhooks/hook_1", "webhooks:write"},
    {"usage-read", "GET", "/v1/usage", "usage:read"},
};

TEST_F(Rekall, EveryScopeGuardsItsRoutes) {
  const std::string summary = example.command({"check"}).output;
  EXPECT_NE(summary.find("(" + std::to_string(guarded_routes.size()) + " routes, 14 scopes)"), std::string::npos)
      << summary << "is not what the table holds";
  std::set<std::string> catalogue{"keys:read", "keys:write"};
  for (const GuardedRoute& route : guarded_routes) {
    catalogue.insert(route.scope);
  }
  EXPECT_EQ(catalogue.size(), 14U);
  GuardCheck(example, production, catalogue).hold_against(guarded_routes, "org_1");
}

TEST_F(Rekall, WhatComesLaterIsRefusedUntilThen) {
  const Key key = example.create_key("org_1", "*");
  EXPECT_EQ(code_of(key, "/v1/keys"), "no_route");
  const TempDir directory;
  for (const char* name : {"keygate.yaml", "policy.yaml"}) {
    directory.write(name, with_what_comes_later(read_file(source_folder() / "config/examples/rekall" / name)));
  }
  const Finished checked = run({{keygate_binary(), "check", "-c", directory / "keygate.yaml"}, {}, "", ""});
  EXPECT_EQ(checked.status.code, 1);
  const std::string said = checked.output + checked.errors;
  EXPECT_NE(said.find("\"authorization_file\" is not supported by this version yet"), std::string::npos) << said;
}

// Both environments as they would be run: nginx, one server each, whose pages say where the request went.
class RekallBehindNginx : public testing::Test {
 protected:
  void SetUp() override {
    for (int attempt = 0; attempt < 5; ++attempt) {
      const std::string file = directory.write(
          "nginx.conf", "daemon off; master_process off; pid " + (directory / "pid") +
                            "; error_log stderr warn; events {}\nhttp {\n  access_log off; client_body_temp_path " +
                            (directory / "body") + "; proxy_temp_path " + (directory / "proxy") +
                            ";\n  fastcgi_temp_path " + (directory / "fcgi") + "; uwsgi_temp_path " +
                            (directory / "uwsgi") + "; scgi_temp_path " + (directory / "scgi") + ";\n" +
                            server("production", production_port) + server("sandbox", sandbox_port) + "}\n");
      nginx = std::make_unique<Process>(
          Command{{"nginx", "-p", directory.path().string(), "-c", file, "-e", "stderr"}, {}, "", ""});
      eventually([&] { return nginx->exited() || (try_connect(production_port) && try_connect(sandbox_port)); });
      if (!nginx->exited()) {
        return;
      }
      production_port = free_port();
      sandbox_port = free_port();
    }
    FAIL() << nginx->errors();
  }

  static std::string server(const std::string& name, std::uint16_t port) {
    return "  server {\n    listen 127.0.0.1:" + std::to_string(port) + ";\n    default_type application/json;\n" +
           "    location /v1/ { return 200 '" + name +
           " $request_method $request_uri $http_x_org_id [$http_authorization$http_x_api_key]'; }\n  }\n";
  }

  TempDir directory;
  std::uint16_t production_port = free_port();
  std::uint16_t sandbox_port = free_port();
  std::unique_ptr<Process> nginx;
};

TEST_F(RekallBehindNginx, PrefixChoosesTheServer) {
  ShippedExample example("rekall", {"REKALL_PRODUCTION_URL=" + address_of(production_port),
                                    "REKALL_SANDBOX_URL=" + address_of(sandbox_port)});
  example.start();
  const std::string scopes = "memories:read,memories:write";
  const Key live = example.create_key("org_1", scopes);
  const Key test = example.create_key("org_2", scopes, {"--environment", "test"});
  EXPECT_EQ(curl({"-H", "x-api-key: " + live.text, example.url("/v1/memories")}).body,
            "production GET /v1/memories org_1 []");
  EXPECT_EQ(curl({"-H", "Authorization: Bearer " + test.text, "-d", "{}", example.url("/v1/memories")}).body,
            "sandbox POST /v1/memories org_2 []");
  EXPECT_EQ(curl({example.url("/v1/memories?limit=1&api_key=" + test.text)}).body,
            "sandbox GET /v1/memories?limit=1 org_2 []");
  example.stop();
}

}  // namespace
}  // namespace keygate::test
