// `keygate lint`: what it says, where, and with which exit status.
#include "tests/support/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keygate::test {
namespace {

namespace json = boost::json;

using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr std::string_view policy = R"(version: 1
scopes: {items:read: Read, items:write: Write, old: Of yesterday}
routes:
  - {name: read, match: {methods: [GET], path: /items}, require: {scopes: items:read}}
  - {name: write, match: {methods: [POST], path: /items}, require: {scopes: {any: [items:read, items:write]}}}
  - {name: status, match: {methods: [GET], path: /status}, anonymous: true}
  - {name: me, match: {methods: [GET], path: /me}, require: {credentials: [api_key]}}
)";

class Lint : public Scenario {
 protected:
  Finished lint(std::vector<std::string> more = {}) {
    std::vector<std::string> argv{keygate_binary(), "lint", "-c", keygate.config_file()};
    argv.insert(argv.end(), more.begin(), more.end());
    return run({argv, {}, "", ""});
  }
};

TEST_F(Lint, ALineForEachFindingWithPlaceCodeAndWhatToDo) {
  keygate.write_files({.policy = std::string(policy), .upstream_port = 1});
  const Finished found = lint();
  EXPECT_EQ(found.status.code, 1) << found.errors;
  EXPECT_THAT(found.output, HasSubstr(":2:48: warning: scope-never-required: no route requires the scope \"old\"; "
                                      "require it somewhere, or take it out of the catalogue\n"));
  EXPECT_THAT(found.output,
              HasSubstr(":5:5: warning: write-by-read-scope: write: POST is open to a key that may only read"));
  EXPECT_THAT(found.output, HasSubstr(":7:5: note: any-credential: me: every valid credential opens it"));
  EXPECT_THAT(found.output, EndsWith("2 warnings, 1 note\n"));
}

TEST_F(Lint, ADocumentIsHeldAgainstThePolicy) {
  keygate.write_files({.policy = std::string(policy), .upstream_port = 1});
  const std::string document = keygate.directory().write(
      "api.yaml",
      "openapi: 3.0.3\ncomponents: {securitySchemes: {key: {type: http, scheme: bearer}}}\nsecurity: [{key: []}]\n"
      "paths:\n  /items: {get: {}, post: {}, delete: {}}\n  /status: {get: {}}\n");
  const Finished found = lint({"--openapi", document, "--json"});
  EXPECT_EQ(found.status.code, 1) << found.errors;
  std::vector<std::string> codes;
  const json::value told = json::parse(found.output);
  for (const json::value& finding : told.at("findings").as_array()) {
    codes.emplace_back(finding.at("code").as_string());
    EXPECT_GT(finding.at("line").to_number<int>(), 0);
    EXPECT_FALSE(finding.at("hint").as_string().empty());
  }
  EXPECT_THAT(codes, ::testing::ElementsAre("scope-never-required", "write-by-read-scope", "any-credential",
                                            "operation-without-route", "open-operation", "route-without-operation"));
  EXPECT_EQ(lint({"--openapi", "/nowhere"}).status.code, 2);
}

TEST_F(Lint, ANoteFailsOnlyWhereThatIsAskedFor) {
  keygate.write_files(
      {.policy = "routes:\n  - {name: a, match: {path: /a}, require: {credentials: [api_key]}}\n", .upstream_port = 1});
  EXPECT_EQ(lint().status.code, 0);
  EXPECT_EQ(lint({"--fail-on", "note"}).status.code, 1);
  EXPECT_EQ(lint({"--fail-on", "all"}).status.code, 2);
  keygate.write_files({.policy = "routes: []\n", .upstream_port = 1});
  EXPECT_EQ(lint().status.code, 2);
}

}  // namespace
}  // namespace keygate::test
