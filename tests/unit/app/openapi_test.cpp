#include "app/openapi.hpp"

#include "app/policy_draft.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace keygate::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

OpenApi document(const std::string& yaml) {
  auto read = read_openapi("openapi: 3.1.0\n" + yaml);
  if (const auto* fault = std::get_if<std::string>(&read)) {
    ADD_FAILURE() << *fault;
    return {};
  }
  return std::get<OpenApi>(std::move(read));
}

PolicyDraft draft(const std::string& yaml) { return draft_policy(document(yaml)); }

// Of one operation, GET /a.
std::string route_of(const std::string& facts, const std::string& more = "") {
  const std::string text = draft(more + "paths: {/a: {get: " + facts + "}}\n").text;
  const std::size_t begin = text.find("    require:");
  return text.substr(begin == text.npos ? text.find("    anonymous:") : begin);
}

TEST(OpenApi, JsonIsReadAsYamlIs) {
  const auto json = read_openapi(
      R"({"openapi":"3.0.3","info":{"title":"T"},"servers":[{"url":"https://h/v1/"}],"paths":{"/b":{"post":{"operationId":"o"}}}})");
  ASSERT_TRUE(std::holds_alternative<OpenApi>(json));
  const OpenApi& read = std::get<OpenApi>(json);
  EXPECT_EQ(read.title + read.base_path, "T/v1");
  ASSERT_EQ(read.operations.size(), 1U);
  EXPECT_EQ(read.operations[0].method + read.operations[0].path + read.operations[0].id, "POST/bo");
  EXPECT_TRUE(read.operations[0].says_nothing);
}

TEST(OpenApi, WhatIsNoneIsRefusedWithAReason) {
  const auto fault = [](const std::string& text) {
    const auto read = read_openapi(text);
    const auto* const said = std::get_if<std::string>(&read);
    return said == nullptr ? std::string() : *said;
  };
  EXPECT_THAT(fault("swagger: '2.0'\n"), HasSubstr("it has no \"openapi\""));
  EXPECT_THAT(fault("openapi: 4.0.0\n"), HasSubstr("it is OpenAPI 4.0.0"));
  EXPECT_THAT(fault("[1, 2]"), HasSubstr("it has no \"openapi\""));
  EXPECT_THAT(fault("a: b: c\n"), HasSubstr("the document:1:"));
  EXPECT_NE(fault(""), "");
}

TEST(OpenApi, TakesPathsFromReferencesAndLeavesOutWhatLiesElsewhere) {
  const OpenApi read = document(
      "paths:\n  /a: {$ref: '#/components/pathItems/one~1two'}\n  /b: {$ref: 'other.yaml#/x'}\n  x-more: {get: {}}\n"
      "components: {pathItems: {one/two: {get: {operationId: there}, trace: {}}}}\n");
  ASSERT_EQ(read.operations.size(), 1U);
  EXPECT_EQ(read.operations[0].id, "there");
  EXPECT_THAT(read.notes, ElementsAre(HasSubstr("TRACE /a"), HasSubstr("/b is described elsewhere (other.yaml#/x)")));
}

TEST(PolicyDraft, SaysWhatTheDocumentAsks) {
  EXPECT_THAT(route_of("{security: [{o: [\"a:b\"]}]}"), HasSubstr("require: {scopes: \"a:b\"}\n"));
  EXPECT_THAT(route_of("{security: [{o: [\"a:b\"], p: [\"c:d\"]}]}"),
              HasSubstr("require: {scopes: {all: [\"a:b\", \"c:d\"]}}\n"));
  EXPECT_THAT(route_of("{security: [{o: [\"a:b\"]}, {o: [\"c:d\"]}]}"),
              HasSubstr("require: {scopes: {any: [\"a:b\", \"c:d\"]}}\n"));
  EXPECT_THAT(route_of("{security: [{o: []}]}"), HasSubstr("require: {credentials: [api_key]}\n"));
  EXPECT_THAT(route_of("{security: [{}, {o: []}]}"), HasSubstr("[api_key]}\n    optional: true\n"));
  EXPECT_THAT(route_of("{security: []}"), HasSubstr("anonymous: true\n"));
  EXPECT_THAT(route_of("{security: [{}]}"), HasSubstr("anonymous: true\n"));
  EXPECT_THAT(route_of("{x-scopes: [\"a:b\"], security: []}"), HasSubstr("require: {scopes: \"a:b\"}\n"));
  EXPECT_THAT(route_of("{}", "security: [{o: [\"a:b\"]}]\n"), HasSubstr("require: {scopes: \"a:b\"}\n"));
  EXPECT_THAT(route_of("{security: [{c: []}]}", "components: {securitySchemes: {c: {type: apiKey, in: cookie}}}\n"),
              HasSubstr("require: {credentials: [session]}\n"));
}

TEST(PolicyDraft, IsNeverMoreOpenThanTheDocument) {
  EXPECT_THAT(route_of("{}"), HasSubstr("require: {credentials: [api_key]}"));
  const PolicyDraft sets = draft("paths: {/a: {get: {security: [{o: [\"a:b\", \"c:d\"]}, {o: [\"e:f\"]}]}}}\n");
  EXPECT_THAT(sets.text, HasSubstr("{scopes: {all: [\"a:b\", \"c:d\", \"e:f\"]}}"));
  EXPECT_THAT(sets.notes, ElementsAre(HasSubstr("one of several sets of scopes would do")));

  const PolicyDraft twins = draft(
      "paths:\n  /a/{x}: {get: {security: []}, put: {security: []}}\n  /a/{y}/: {get: {security: [{o: [\"a:b\"]}]}}\n");
  EXPECT_THAT(twins.text, HasSubstr("methods: [\"GET\"], path: \"/a/{x}\"}\n    require: {scopes: \"a:b\"}"));
  EXPECT_THAT(twins.text, HasSubstr("methods: [\"PUT\"], path: \"/a/{x}\"}\n    anonymous: true"));
  EXPECT_THAT(twins.notes, ElementsAre(HasSubstr("both need what either needs")));

  const PolicyDraft mixed = draft("paths: {\"/f/{n}.txt\": {get: {security: []}}, \"/a//b\": {get: {}}}\n");
  EXPECT_EQ(mixed.routes, 0U);
  EXPECT_THAT(mixed.notes, ElementsAre(HasSubstr("GET /f/{n}.txt is left out"), HasSubstr("GET /a//b is left out")))
      << mixed.text;
}

TEST(PolicyDraft, NamesWhatCannotKeepItsName) {
  const PolicyDraft made = draft(
      "paths:\n"
      "  /a/{b c}/{b.c}: {get: {operationId: \"list things!\", security: [{o: [\"https://x.example/Auth\"]}]}}\n"
      "  /b: {get: {operationId: \"list things?\", security: [{o: [\"https://x.example/auth\"]}]}}\n");
  EXPECT_THAT(made.text,
              HasSubstr("name: \"list-things\"\n    match: {methods: [\"GET\"], path: \"/a/{b_c}/{b_c2}\"}"));
  EXPECT_THAT(made.text, HasSubstr("name: \"list-things-2\""));
  EXPECT_THAT(made.text, HasSubstr("  x-example-auth: \"https://x.example/Auth\"\n"));
  EXPECT_THAT(made.text, HasSubstr("  x-example-auth-2: "));
}

// What stands in a document must not become a line of the policy.
TEST(PolicyDraft, NothingInADocumentGetsOutOfItsPlace) {
  const auto made = read_openapi(
      R"({"openapi":"3.0.0","info":{"title":"a\nroutes: [evil]"},"components":{"securitySchemes":{"o":{"flows":{"f":{"scopes":
      {"a:b":"\"\nroutes: [evil]\\"}}}}}},"paths":{"/a":{"get":{"operationId":"\"\nevil: true","security":[{"o":["a:b"]}]}}}})");
  const std::string text = draft_policy(std::get<OpenApi>(made)).text;
  EXPECT_THAT(text, Not(HasSubstr("\nevil"))) << text;
  EXPECT_THAT(text, Not(HasSubstr("\nroutes: [evil]"))) << text;
}

}  // namespace
}  // namespace keygate::app
