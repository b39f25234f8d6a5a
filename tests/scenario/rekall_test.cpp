// config/examples/rekall does what Rekall's page on API keys promises its customers: places for keys, scopes, format,
// environments. Its life from creation to revocation is in rekall_keys_test.cpp.
#include "tests/scenario/rekall.hpp"

#include "tests/support/curl.hpp"
#include "tests/support/guarded_routes.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

CurlResult call(const ShippedExample& example, const Key& key, std::string_view target,
                std::vector<std::string> arguments = {}) {
  arguments.insert(arguments.end(), {"-H", "Authorization: Bearer " + key.text, example.url(target)});
  return curl(arguments);
}

TEST_F(Rekall, ReadOnlyKeyCannotWrite) {
  const Key key = example.create_key("org_1", read_only);
  for (const char* target : {"/v1/memories", "/v1/memories/mem_1", "/v1/entities", "/v1/relationships/rel_1"}) {
    EXPECT_EQ(call(example, key, target).status, 200) << target;
  }
  EXPECT_EQ(call(example, key, "/v1/memories/search", {"-d", R"({"query":"lunch"})"}).status, 200);
  production.forget();
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    for (const char* target : {"/v1/memories/mem_1", "/v1/entities/ent_1", "/v1/relationships/rel_1"}) {
      const CurlResult refused = call(example, key, target, {"-X", method, "-d", "{}"});
      EXPECT_EQ(refused.status, 403) << method << " " << target;
      EXPECT_NE(refused.body.find("\"insufficient_scope\""), std::string::npos) << refused.body;
    }
  }
  EXPECT_EQ(production.bytes(), "");
}

TEST_F(Rekall, WritingDoesNotIncludeReadingOrDeleting) {
  const Key key = example.create_key("org_1", "memories:write");
  EXPECT_EQ(call(example, key, "/v1/memories", {"-d", "{}"}).status, 200);
  EXPECT_EQ(code_of(key), "insufficient_scope");
  EXPECT_EQ(call(example, key, "/v1/memories/mem_1", {"-X", "DELETE"}).status, 403);
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
  EXPECT_EQ(call(example, one, "/v1/memories?api_key=" + other.text).status, 400);
  EXPECT_EQ(call(example, one, "/v1/memories?api_key=" + one.text).status, 200);
}

TEST_F(Rekall, TestKeyNeverReachesProduction) {
  const Key test = example.create_key("org_1", "*", {"--environment", "test"});
  const Key live = example.create_key("org_1", "*");
  EXPECT_TRUE(test.text.starts_with("rk_test_"));
  EXPECT_EQ(call(example, live, "/v1/memories").status, 200);
  EXPECT_EQ(sandbox->bytes(), "");
  production.forget();
  for (const char* field : {"X-Environment: live", "X-Auth-Method: admin", "Host: production"}) {
    EXPECT_EQ(call(example, test, "/v1/memories", {"-H", field}).status, 200);
  }
  EXPECT_EQ(curl({example.url("/v1/memories?api_key=" + test.text)}).status, 200);
  EXPECT_EQ(sandbox->requests().size(), 4U);
  for (const Request& seen : sandbox->requests()) {
    EXPECT_EQ(seen.fields["x-environment"], "test");
  }
  sandbox.reset();
  for (const char* method : {"GET", "POST", "DELETE"}) {
    EXPECT_EQ(call(example, test, "/v1/memories/mem_1", {"-X", method}).status, 502) << method;
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
  const std::size_t routes_to_the_key_server = 2;  // in rekall_keys_test.cpp
  EXPECT_NE(
      summary.find("(" + std::to_string(guarded_routes.size() + routes_to_the_key_server) + " routes, 14 scopes)"),
      std::string::npos)
      << summary << "is not what the table holds";
  std::set<std::string> catalogue{"keys:read", "keys:write"};
  for (const GuardedRoute& route : guarded_routes) {
    catalogue.insert(route.scope);
  }
  EXPECT_EQ(catalogue.size(), 14U);
  GuardCheck(example, example, production, catalogue).hold_against(guarded_routes, "org_1");
}

}  // namespace
}  // namespace keygate::test
