#include "app/policy_draft.hpp"

#include "app/openapi_lint.hpp"
#include "tests/unit/app/reading_policies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace keygate::app {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* schemes =
    "components: {securitySchemes: {o: {type: oauth2, flows: {f: {scopes: {}}}}, key: {type: apiKey, in: header, name: "
    "X-Key}, sid: {type: apiKey, in: cookie, name: s}, cert: {type: mutualTLS}}}\n";

PolicyDraft draft(const std::string& yaml) {
  const auto read = read_openapi("openapi: 3.1.0\n" + std::string(schemes) + yaml, "api.yaml");
  if (const auto* said = std::get_if<config::Problem>(&read)) {
    ADD_FAILURE() << config::render(*said);
    return {};
  }
  return draft_policy(std::get<OpenApi>(read));
}

// Of one operation, GET /a.
std::string route_of(const std::string& facts, const std::string& more = "") {
  const std::string text = draft(more + "paths: {/a: {get: " + facts + "}}\n").text;
  const std::size_t begin = text.find("    require:");
  return text.substr(begin == text.npos ? text.find("    anonymous:") : begin);
}

// The name of the route that has it, and whether nobody may use that one: "route", "route!", "".
std::string governing(const PolicyDraft& made, const std::string& method, std::string path) {
  const config::Settings settings = settings_of(made.text);
  const auto policy = policy_of(settings);
  const auto target = policy::RequestTarget::parse(path);
  const auto* const route =
      policy->table.match({"", *policy::parse_method(method), &std::get<policy::RequestTarget>(target), {}});
  if (route == nullptr) return "";
  return route->name + (route->scopes_text.starts_with("nobody") ? "!" : "");
}

TEST(PolicyDraft, SaysWhatTheDocumentAsks) {
  EXPECT_THAT(route_of("{security: [{o: [\"a:b\"]}]}"), HasSubstr("require: {scopes: \"a:b\"}\n"));
  EXPECT_THAT(route_of("{security: [{o: [\"c:d\", \"a:b\"]}]}"),
              HasSubstr("require: {scopes: {all: [\"a:b\", \"c:d\"]}}\n"));
  EXPECT_THAT(route_of("{security: [{o: [\"a:b\"]}, {o: [\"c:d\"]}]}"),
              HasSubstr("require: {scopes: {any: [\"a:b\", \"c:d\"]}}\n"));
  EXPECT_THAT(route_of("{security: [{o: [\"a:b\", x]}, {o: [x, \"c:d\"]}]}"),
              HasSubstr("require: {scopes: {all: [\"x\"], any: [\"a:b\", \"c:d\"]}}\n"));
  EXPECT_THAT(route_of("{security: [{o: [\"a:b\", \"c:d\"]}, {o: [\"a:b\"]}]}"),
              HasSubstr("require: {scopes: \"a:b\"}\n"));
  EXPECT_THAT(route_of("{security: [{o: []}]}"), HasSubstr("require: {credentials: [api_key]}\n"));
  EXPECT_THAT(route_of("{security: [{}, {o: []}]}"), HasSubstr("[api_key]}\n    optional: true\n"));
  EXPECT_THAT(route_of("{security: []}"), HasSubstr("anonymous: true\n"));
  EXPECT_THAT(route_of("{security: [{}]}"), HasSubstr("anonymous: true\n"));
  EXPECT_THAT(route_of("{security: [{sid: []}]}"), HasSubstr("require: {credentials: [session]}\n"));
}

// W5
TEST(PolicyDraft, NoCredentialDoesForTwo) {
  EXPECT_THAT(route_of("{security: [{key: [], sid: []}]}"), HasSubstr("require: {scopes: \"nobody\"}\n"));
  EXPECT_THAT(route_of("{security: [{cert: []}]}"), HasSubstr("require: {scopes: \"nobody\"}\n"));
  EXPECT_THAT(route_of("{security: [{sid: []}, {o: [\"a:b\"]}]}"),
              HasSubstr("require: {scopes: \"a:b\", credentials: [api_key, session]}\n"));
  EXPECT_THAT(route_of("{security: [{sid: [\"a:b\"]}, {o: [\"a:b\"]}]}"),
              HasSubstr("require: {scopes: \"a:b\", credentials: [api_key, session]}\n"));
  const PolicyDraft twins =
      draft("paths: {\"/a/{x}\": {get: {security: [{sid: []}]}}, \"/a/{y}\": {get: {security: [{key: []}]}}}\n");
  EXPECT_THAT(twins.text, HasSubstr("require: {scopes: \"nobody\"}\n"));
}

TEST(PolicyDraft, IsNeverMoreOpenThanTheDocument) {
  EXPECT_THAT(route_of("{}"), HasSubstr("require: {credentials: [api_key]}"));
  EXPECT_THAT(route_of("{security: [{o: [\"a:b\", \"c:d\"]}, {o: [\"e:f\"]}]}"),
              HasSubstr("{scopes: {all: [\"a:b\", \"c:d\", \"e:f\"]}}"));
  const PolicyDraft twins = draft(
      "paths:\n  /a/{x}: {get: {security: []}, put: {security: []}}\n  /a/{y}/: {get: {security: [{o: [\"a:b\"]}]}}\n");
  EXPECT_THAT(twins.text, HasSubstr("methods: [\"GET\"], path: \"/a/{x}\"}\n    require: {scopes: \"a:b\"}"));
  EXPECT_THAT(twins.text, HasSubstr("methods: [\"PUT\"], path: \"/a/{x}\"}\n    anonymous: true"));
}

// W3: nothing that is left out falls to a more general route.
TEST(PolicyDraft, WhatIsLeftOutIsRefused) {
  const PolicyDraft made = draft(
      "paths:\n"
      "  /{any}: {get: {operationId: any, security: []}, delete: {operationId: drop, security: []}}\n"
      "  /{any}/{x}: {get: {operationId: below, security: []}, put: {operationId: change, security: []}}\n"
      "  /me: {get: {operationId: me, security: [{o: [\"a:b\"]}]}}\n"
      "  /f/{n}.json: {get: {operationId: file, security: [{o: [\"a:b\"]}]}}\n"
      "  /elsewhere: {$ref: 'other.yaml'}\n"
      "  /empty: {}\n");
  // What asks for the same is one route.
  EXPECT_EQ(governing(made, "GET", "/some"), "get-any");
  EXPECT_EQ(governing(made, "DELETE", "/some"), "get-any");
  EXPECT_EQ(governing(made, "GET", "/me"), "me");
  EXPECT_THAT(governing(made, "DELETE", "/me"), HasSubstr("!"));
  EXPECT_THAT(governing(made, "GET", "/f/a.json"), HasSubstr("!"));
  EXPECT_THAT(governing(made, "PUT", "/f/a.json"), HasSubstr("!"));
  EXPECT_EQ(governing(made, "PUT", "/g/a.json"), "get-any-x");
  for (const char* method : {"GET", "HEAD", "DELETE"}) {
    EXPECT_THAT(governing(made, method, "/elsewhere"), HasSubstr("!")) << method;
    EXPECT_THAT(governing(made, method, "/empty"), HasSubstr("!")) << method;
  }
}

TEST(PolicyDraft, APathBesideOneWithTextIsServedWithWhatBothNeed) {
  const PolicyDraft made = draft(
      "paths:\n  /f/{n}.json: {get: {security: [{o: [\"a:b\"]}]}}\n  /f/{n}: {get: {security: [{o: [\"c:d\"]}]}}\n");
  EXPECT_THAT(made.text, HasSubstr("path: \"/f/{n}\"}\n    require: {scopes: {all: [\"a:b\", \"c:d\"]}}"));
}

TEST(PolicyDraft, WhereTwoPathsCrossBothAreMet) {
  const PolicyDraft made = draft(
      "paths:\n  /a/{x}: {get: {security: []}, put: {security: []}}\n  /{y}/b: {get: {security: [{o: [\"a:b\"]}]}}\n");
  EXPECT_THAT(made.text, HasSubstr("methods: [\"GET\"], path: \"/a/b\"}\n    require: {scopes: \"a:b\"}"));
  EXPECT_EQ(governing(made, "PUT", "/a/b"), governing(made, "PUT", "/a/c"));
}

// W7 and W12
TEST(PolicyDraft, TextStaysTextForTheReaderOfPolicies) {
  const PolicyDraft made = draft(
      "paths: {\"/a/$batch\": {get: {operationId: g, security: [{o: [\"null\", \"true\", \"1\", \"${HOME}\", "
      "\"on\"]}]}}}\n");
  EXPECT_EQ(governing(made, "GET", "/a/$batch"), "g");
  const config::Settings settings = settings_of(made.text);
  EXPECT_EQ(settings.policy.scopes.size(), 5U);
  EXPECT_NE(policy_of(settings)->catalogue.find("null"), std::nullopt);
  EXPECT_NE(policy_of(settings)->catalogue.find("on"), std::nullopt);
  EXPECT_EQ(policy_of(settings)->routes[0]->scopes_text.substr(0, 4), "null");
}

TEST(PolicyDraft, NamesWhatCannotKeepItsName) {
  const PolicyDraft made = draft(
      "paths:\n"
      "  /a/{b c}/{b.c}: {get: {operationId: \"list things!\", security: [{o: [\"https://x.example/Auth\"]}]}}\n"
      "  /b: {get: {operationId: \"list things?\", security: [{o: [\"https://x.example/auth\"]}]}}\n"
      "  /c: {get: {security: [{o: [nobody, \"a:*\"]}, {cert: []}]}, put: {security: [{cert: []}]}}\n");
  EXPECT_THAT(made.text, HasSubstr("name: \"list-things\"\n    match: {methods: [\"GET\"], path: \"/a/{bc}/{bc2}\"}"));
  EXPECT_THAT(made.text, HasSubstr("name: \"list-things-2\""));
  EXPECT_THAT(made.text, HasSubstr("  \"x-example-auth\": \"https://x.example/Auth\"\n"));
  EXPECT_THAT(made.text, HasSubstr("  \"x-example-auth-2\": "));
  EXPECT_THAT(made.text, HasSubstr("  \"nobody\": \"nobody\"\n"));
  EXPECT_THAT(made.text, HasSubstr("  \"nobody-2\": {description: "));
  EXPECT_THAT(made.notes, Contains(HasSubstr("the scope a:* is called a here")));
  EXPECT_NE(policy_of(settings_of(made.text)), nullptr);
}

// What stands in a document must not become a line of the policy.
TEST(PolicyDraft, NothingInADocumentGetsOutOfItsPlace) {
  const auto made = read_openapi(
      R"({"openapi":"3.0.0","info":{"title":"a\nroutes: [evil]"},"components":{"securitySchemes":{"o":{"type":"oauth2","flows":{"f":{"scopes":
      {"a:b":"\"\nroutes: [evil]\\"}}}}}},"paths":{"/a":{"get":{"operationId":"\"\nevil: true","security":[{"o":["a:b"]}]}}}})",
      "api.json");
  ASSERT_TRUE(std::holds_alternative<OpenApi>(made));
  const std::string text = draft_policy(std::get<OpenApi>(made)).text;
  EXPECT_THAT(text, Not(HasSubstr("\nevil"))) << text;
  EXPECT_THAT(text, Not(HasSubstr("\nroutes: [evil]"))) << text;
}

TEST(OpenApiLint, HasNothingAgainstWhatImportMade) {
  const std::string yaml =
      "openapi: 3.1.0\n" + std::string(schemes) +
      "paths:\n"
      "  /pets: {get: {security: [{o: [\"pets:read\"]}]}, post: {security: [{o: [\"pets:write\"]}]}}\n"
      "  /pets/{id}: {get: {security: [{}, {o: [\"pets:read\"]}]}, delete: {security: [{o: [\"pets:write\"]}]}}\n"
      "  /pets/mine: {get: {security: [{o: [\"pets:read\"]}]}}\n  /pets/{id}.png: {get: {security: []}}\n"
      "  /open: {get: {security: []}}\n";
  const auto read = read_openapi(yaml, "api.yaml");
  ASSERT_TRUE(std::holds_alternative<OpenApi>(read));
  const OpenApi& document = std::get<OpenApi>(read);
  const config::Settings settings = settings_of(draft_policy(document).text);
  EXPECT_THAT(lint_openapi(*policy_of(settings), document), IsEmpty());
  EXPECT_THAT(policy::lint(settings, *policy_of(settings)), IsEmpty());
}

// How a request by a key with these scopes is answered by the policy that is made of `yaml`.
std::string governing_needs(const std::string& yaml, const std::string& method, std::string path) {
  const PolicyDraft made = draft(yaml);
  const config::Settings settings = settings_of(made.text);
  const auto policy = policy_of(settings);
  const auto target = policy::RequestTarget::parse(path);
  const auto* const route =
      policy->table.match({"", *policy::parse_method(method), &std::get<policy::RequestTarget>(target), {}});
  if (route == nullptr) return "none";
  return route->access == policy::Access::anonymous ? "open" : route->scopes_text;
}

TEST(PolicyDraft, WhereThreePathsMeetAllAreMet) {
  const std::string three =
      "paths:\n  /a/b/{p}/{q}: {get: {security: [{o: [\"admin\", \"low\"]}]}}\n"
      "  /a/{p}/c/{q}: {get: {security: []}}\n  /{p}/b/{q}/d: {get: {security: [{o: [\"low\"]}]}}\n";
  EXPECT_THAT(governing_needs(three, "GET", "/a/b/c/d"), HasSubstr("admin"));
  const std::string heads =
      "paths:\n  /a/{x}: {get: {security: []}, head: {security: [{o: [\"low\", \"admin\"]}]}}\n"
      "  /{y}/b: {get: {security: [{o: [\"low\"]}]}}\n";
  EXPECT_THAT(governing_needs(heads, "HEAD", "/a/b"), HasSubstr("admin"));
  EXPECT_EQ(governing_needs(heads, "GET", "/a/b"), "low");
}

TEST(PolicyDraft, APathThatAPolicyCannotSayGuardsItsShape) {
  const std::string crossed =
      "paths:\n  /a/{x}/{z}: {get: {security: []}}\n  /{y}/b/{z}: {get: {security: [{o: [\"admin\"]}]}}\n"
      "  /a/b/{f}.json: {post: {security: [{o: [\"low\"]}]}}\n";
  EXPECT_NE(governing_needs(crossed, "GET", "/a/b/foo"), "open");
  const std::string general = "paths:\n  /{d}/{f}: {get: {security: []}}\n  /files/{f}.json: {post: {security: []}}\n";
  EXPECT_NE(governing_needs(general, "GET", "/files/x.json"), "open");
  EXPECT_EQ(governing_needs(general, "GET", "/other/x.json"), "open");
}

TEST(PolicyDraft, AScopeThatIsSpelledAnewTakesNobodysName) {
  const std::string twins =
      "paths:\n  /wipe: {post: {security: [{o: [\"Admin\"]}]}}\n  /list: {get: {security: [{o: [\"admin\"]}]}}\n";
  EXPECT_EQ(governing_needs(twins, "POST", "/wipe"), "admin-2");
  EXPECT_EQ(governing_needs(twins, "GET", "/list"), "admin");
}

TEST(OpenApiLint, NamesWhatIsOpenWhatHasNoRouteAndWhatHasNoOperation) {
  const auto read =
      read_openapi("openapi: 3.1.0\n" + std::string(schemes) +
                       "paths: {/a: {get: {security: [{key: []}]}}, /b: {get: {security: [{key: []}]}}}\n",
                   "api.yaml");
  const config::Settings settings = settings_of(
      "routes:\n  - {name: a, match: {path: /a, hosts: [h.example]}, anonymous: true}\n"
      "  - {name: c, match: {path: /c}, anonymous: true}\n");
  const auto found = lint_openapi(*policy_of(settings), std::get<OpenApi>(read));
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].code, "operation-without-route");
  EXPECT_EQ(*found[0].where.file, "api.yaml");
  EXPECT_EQ(found[1].code, "open-operation");
  EXPECT_THAT(found[1].message, HasSubstr("GET /a at api.yaml:3"));
  EXPECT_EQ(found[2].code, "route-without-operation");
  EXPECT_EQ(found[2].route, "c");
}

// The route where two operations meet is of both, though neither's own words lead to it.
TEST(OpenApiLint, ARouteForSomeRequestsOfAnOperationIsNotWithoutOne) {
  const std::string paths =
      "paths:\n  /videos/imports/{id}: {get: {security: [{key: []}]}}\n"
      "  /videos/{id}/hls: {get: {security: [{key: []}]}}\n  /files/a;b: {get: {security: [{key: []}]}}\n";
  const auto read = read_openapi("openapi: 3.1.0\n" + std::string(schemes) + paths, "api.yaml");
  const auto lint = [&](const std::string& meeting) {
    const config::Settings settings = settings_of(
        "routes:\n  - {name: import, match: {path: \"/videos/imports/{id}\"}, require: {credentials: [api_key]}}\n"
        "  - {name: hls, match: {path: \"/videos/{id}/hls\"}, require: {credentials: [api_key]}}\n"
        "  - {name: both, match: {path: /videos/imports/hls}, " +
        meeting + "}\n");
    std::vector<std::string> codes;
    for (const auto& finding : lint_openapi(*policy_of(settings), std::get<OpenApi>(read))) {
      codes.push_back(std::string(finding.code) + ' ' + finding.route);
    }
    return codes;
  };
  EXPECT_THAT(lint("require: {credentials: [api_key]}"), testing::ElementsAre("operation-refused "));
  EXPECT_THAT(lint("anonymous: true"), testing::ElementsAre("operation-refused ", "open-operation both"));
}

}  // namespace
}  // namespace keygate::app
