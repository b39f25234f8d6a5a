// `keygate import` makes a policy that loads, and that does what the OpenAPI document says.
#include "tests/support/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace keygate::test {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view pets = R"(openapi: 3.0.3
info: {title: Pets, version: "1"}
servers: [{url: https://api.example.com/v1}]
components:
  securitySchemes:
    oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: /token, scopes: {"pets:read": Read pets, "pets:write": Change pets}}}}
paths:
  /pets:
    get: {operationId: listPets, security: [{oauth: ["pets:read"]}]}
    post: {operationId: makePet, security: [{oauth: ["pets:write"]}]}
  /pets/{id}:
    get: {security: [{oauth: ["pets:read"]}]}
    delete: {x-required-scopes: "pets:write"}
  /health:
    get: {security: []}
)";

class Import : public Scenario {
 protected:
  Finished import(std::string_view document, std::vector<std::string> more = {}) {
    std::vector<std::string> argv{keygate_binary(), "import", "--openapi",
                                  keygate.directory().write("openapi.yaml", document)};
    argv.insert(argv.end(), more.begin(), more.end());
    return run({argv, {}, "", ""});
  }
};

TEST_F(Import, APolicyThatServesAsTheDocumentSays) {
  const Finished imported = import(pets);
  ASSERT_EQ(imported.status.code, 0) << imported.errors;
  EXPECT_EQ(imported.errors, "5 operations in 5 routes, 2 scopes; 0 notes, at the head of the policy\n");
  EXPECT_EQ(import(pets).output, imported.output);
  start_without_keys({.policy = imported.output});
  const Key reader = keygate.create_key({.scopes = "pets:read"});
  EXPECT_EQ(ask(request_to("/v1/health")).status, 200);
  EXPECT_EQ(ask(request_to("/v1/pets/7", reader.bearer())).status, 200);
  EXPECT_EQ(ask(request_to("/v1/pets/7", reader.bearer(), "DELETE")).status, 403);
  EXPECT_EQ(ask(request_to("/v1/pets")).status, 401);
  EXPECT_EQ(ask(request_to("/pets", reader.bearer())).status, 403);
  EXPECT_EQ(keygate.wait_for_log_of("/v1/pets/7").at("route").as_string(), "get-v1-pets-id");
}

TEST_F(Import, OptionsSayWhereAndFromWhat) {
  const std::string document = "openapi: 3.1.0\npaths: {/a: {get: {x-permissions: [\"a:b\"]}}, /b: {get: {}}}\n";
  const Finished imported = import(document, {"--base-path", "/api", "--scopes-from", "x-permissions"});
  EXPECT_THAT(imported.output, HasSubstr("path: \"/api/a\"}\n    require: {scopes: \"a:b\"}"));
  EXPECT_THAT(imported.errors, HasSubstr("1 note,"));
}

TEST_F(Import, WhatCannotBeReadMakesNoPolicy) {
  for (const auto& [document, status, said] :
       {std::tuple{"swagger: '2.0'\n", 2, "3.0 or 3.1 is read"}, {"openapi: 3.0.0\n", 1, "has no operations"}}) {
    const Finished imported = import(document);
    EXPECT_EQ(imported.status.code, status);
    EXPECT_EQ(imported.output, "");
    EXPECT_THAT(imported.errors, HasSubstr(said));
  }
  EXPECT_EQ(run({{keygate_binary(), "import", "--openapi", "/nowhere.yaml"}, {}, "", ""}).status.code, 2);
}

}  // namespace
}  // namespace keygate::test
