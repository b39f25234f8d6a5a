// `keygate import` makes a policy that loads, and that does what the OpenAPI document says.
#include "tests/support/scenario.hpp"
#include "tests/support/shipped_example.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <utility>
#include <vector>

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
  /pets/mine:
    get: {security: [{oauth: ["pets:read"]}]}
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
  EXPECT_EQ(imported.errors, "6 operations in 7 routes, 2 scopes; 1 note, at the head of the policy\n");
  EXPECT_EQ(import(pets).output, imported.output);
  start_without_keys({.policy = imported.output});
  const Key reader = keygate.create_key({.scopes = "pets:read"});
  EXPECT_EQ(ask(request_to("/v1/health")).status, 200);
  EXPECT_EQ(ask(request_to("/v1/pets/7", reader.bearer())).status, 200);
  EXPECT_EQ(ask(request_to("/v1/pets/7", reader.bearer(), "DELETE")).status, 403);
  EXPECT_EQ(ask(request_to("/v1/pets")).status, 401);
  const Key writer = keygate.create_key({.scopes = "pets:write"});
  EXPECT_EQ(ask(request_to("/v1/pets/7", writer.bearer(), "DELETE")).status, 200);
  EXPECT_EQ(ask(request_to("/v1/pets/mine", writer.bearer(), "DELETE")).status, 403);
  EXPECT_EQ(ask(request_to("/pets", reader.bearer())).status, 403);
  EXPECT_EQ(keygate.wait_for_log_of("/v1/pets/7").at("route").as_string(), "get-v1-pets-id");
}

TEST_F(Import, CheckAndLintFindNothingInIt) {
  const Finished imported = import(pets);
  keygate.write_files({.policy = imported.output, .upstream_port = 1});
  const Finished checked = run({{keygate_binary(), "check", "-c", keygate.config_file()}, {}, "", ""});
  EXPECT_EQ(checked.status.code, 0) << checked.output;
  const Finished linted = run({{keygate_binary(), "lint", "-c", keygate.config_file(), "--openapi",
                                keygate.directory().write("openapi.yaml", pets), "--fail-on", "note"},
                               {},
                               "",
                               ""});
  EXPECT_EQ(linted.status.code, 0) << linted.output << linted.errors;
  EXPECT_EQ(linted.output, "nothing found\n");
}

// The first block of docs/importing-openapi.md that is YAML, imported, is the second one.
TEST_F(Import, MakesWhatThePageShows) {
  const std::string page = read_file(source_folder() / "docs/importing-openapi.md");
  const auto block = [&](std::size_t from) {
    const std::size_t begin = page.find("```yaml\n", from) + 8;
    return std::pair(page.substr(begin, page.find("```\n", begin) - begin), begin);
  };
  const auto [document, at] = block(0);
  const std::string shown = block(at).first;
  const Finished imported = import(document);
  EXPECT_THAT(imported.output, ::testing::EndsWith(shown));
  EXPECT_THAT(shown, HasSubstr("delete-v1-pets-mine"));
}

TEST_F(Import, OptionsSayWhereAndFromWhat) {
  const std::string document = "openapi: 3.1.0\npaths: {/a: {get: {x-permissions: [\"a:b\"]}}, /b: {get: {}}}\n";
  const Finished imported = import(document, {"--base-path", "/api", "--scopes-from", "x-permissions"});
  EXPECT_THAT(imported.output, HasSubstr("path: \"/api/a\"}\n    require: {scopes: \"a:b\"}"));
  EXPECT_THAT(imported.errors, HasSubstr("1 note,"));
}

TEST_F(Import, WhatCannotBeReadMakesNoPolicy) {
  for (const auto& [document, status, said] :
       {std::tuple{"swagger: '2.0'\n", 2, "openapi.yaml:1:1: has no \"openapi\"; 3.0 and 3.1 are read"},
        {"openapi: 3.0.0\n", 1, "has no operations"},
        {"openapi: 3.0.0\npaths:\n  /a:\n    get:\n      security: [key]\n", 2,
         "openapi.yaml:5:18: paths[\"/a\"].get.security[0]: needs to be a map, not \"key\""}}) {
    const Finished imported = import(document);
    EXPECT_EQ(imported.status.code, status);
    EXPECT_EQ(imported.output, "");
    EXPECT_THAT(imported.errors, HasSubstr(said));
  }
  EXPECT_EQ(run({{keygate_binary(), "import", "--openapi", "/nowhere.yaml"}, {}, "", ""}).status.code, 2);
  EXPECT_EQ(import(pets, {"--base-path", "api"}).status.code, 2);
}

}  // namespace
}  // namespace keygate::test
