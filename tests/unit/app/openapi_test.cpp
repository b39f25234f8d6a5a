#include "app/openapi.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keygate::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Who = Operation::Who;

constexpr const char* schemes =
    "components: {securitySchemes: {o: {type: oauth2, flows: {f: {scopes: {\"a:b\": A}}}}, key: {type: apiKey, in: "
    "header, "
    "name: X-Key}, id: {type: apiKey, in: header, name: X-App}, sid: {type: apiKey, in: cookie, name: s}, cert: {type: "
    "mutualTLS}, basic: {type: http, scheme: Basic}, bearer: {type: http, scheme: bearer}}}\n";

std::string with_schemes(const std::string& yaml) { return "openapi: 3.1.0\n" + std::string(schemes) + yaml; }

std::string fault(const std::string& text) {
  const auto read = read_openapi(text, "api.yaml");
  const auto* const said = std::get_if<config::Problem>(&read);
  return said == nullptr ? "" : config::render(*said);
}

OpenApi document(const std::string& yaml, const OpenApiOptions& options = {}) {
  auto read = read_openapi(with_schemes(yaml), "api.yaml", options);
  if (const auto* said = std::get_if<config::Problem>(&read)) {
    ADD_FAILURE() << config::render(*said);
    return {};
  }
  return std::get<OpenApi>(std::move(read));
}

// Of one operation, GET /a.
Operation operation(const std::string& facts, const std::string& more = "") {
  const OpenApi read = document(more + "paths: {/a: {get: " + facts + "}}\n");
  return read.operations.empty() ? Operation{} : read.operations[0];
}

TEST(OpenApi, JsonIsReadAsYamlIsWithPlaces) {
  const auto json = read_openapi(
      "\xEF\xBB\xBF{\"openapi\":\"3.0.3\",\n\"info\":{\"title\":\"T\\n\\u00e9\"},\"servers\":[{\"url\":\"https://h/v1/"
      "\"}],"
      "\"paths\":{\"/b\":{\n  \"post\":{\"operationId\":\"o\"}}}}",
      "api.json");
  ASSERT_TRUE(std::holds_alternative<OpenApi>(json));
  const OpenApi& read = std::get<OpenApi>(json);
  EXPECT_EQ(read.title, "T\n\xC3\xA9");
  ASSERT_EQ(read.operations.size(), 1U);
  const Operation& one = read.operations[0];
  EXPECT_EQ(one.method + one.base_path + one.path + one.id, "POST/v1/bo");
  EXPECT_EQ(one.who, Who::unsaid);
  EXPECT_EQ(*one.where.file + ":" + std::to_string(one.where.line) + ":" + std::to_string(one.where.column),
            "api.json:3:10");
}

struct Misread {
  const char* name;
  std::string text;
  const char* said;
};

class OpenApiRefuses : public ::testing::TestWithParam<Misread> {};

TEST_P(OpenApiRefuses, WithPlaceAndReason) { EXPECT_THAT(fault(GetParam().text), HasSubstr(GetParam().said)); }

std::string get(const std::string& facts) { return with_schemes("paths: {/a: {get: " + facts + "}}\n"); }

INSTANTIATE_TEST_SUITE_P(
    WhatItDoesNotUnderstand, OpenApiRefuses,
    ::testing::ValuesIn(std::vector<Misread>{
        {"Swagger", "swagger: '2.0'\n", "has no \"openapi\"; 3.0 and 3.1 are read"},
        {"AnotherVersion", "openapi: 4.0.0\n", "is OpenAPI 4.0.0"},
        {"AVersionThatBeginsAlike", "openapi: 3.10.0\n", "is OpenAPI 3.10.0"},
        {"AList", "[1, 2]", "needs to be a map, not a list"},
        {"NoYaml", "a: b: c\n", "api.yaml:1:"},
        {"Nothing", "", "the file is empty"},
        {"NoJson", "{\n  \"openapi\": 3.0 }x", "this is not JSON"},
        {"AJsonKeyTwice", "{\"openapi\": \"3.0.0\",\n \"security\": [{}], \"security\": []}",
         "api.yaml:2:20: duplicate key"},
        {"AYamlKeyTwice", with_schemes("paths: {/a: {get: {security: []}, get: {}}}\n"), "duplicate key \"get\""},
        {"AMergeKey", with_schemes("x-all: &a {security: []}\npaths: {/a: {get: {<<: *a}}}\n"), "merge key"},
        // W2: a requirement that is none
        {"ARequirementOfAWord", get("{security: [o]}"), "paths[\"/a\"].get.security[0]: needs to be a map"},
        {"ARequirementOfNull", get("{security: [null]}"), "needs to be a map, not nothing"},
        {"SecurityOfNull", get("{security: null}"), "needs to be a list, not nothing"},
        {"SecurityOfAWord", get("{security: none}"), "needs to be a list, not \"none\""},
        {"ANullForAll", with_schemes("security: ~\npaths: {/a: {get: {}}}\n"), "needs to be a list, not nothing"},
        {"ScopesOfAWord", get("{security: [{o: \"a:b\"}]}"), "needs to be a list"},
        {"ScopesOfNull", get("{security: [{o: null}]}"), "needs to be a list"},
        {"ASchemeThatIsNot", get("{security: [{oauht: []}]}"), "there is no security scheme \"oauht\""},
        // W3: what would be passed over
        {"AMethodInUpperCase", with_schemes("paths: {/a: {GET: {}}}\n"), "did you mean \"get\"?"},
        {"AMethodThatIsNone", with_schemes("paths: {/a: {query: {}}}\n"), "is nothing that OpenAPI has"},
        {"SecurityMisspelt", get("{securty: []}"), "did you mean \"security\"?"},
        {"APathWithoutASlash", with_schemes("paths: {a: {get: {}}}\n"), "does not begin with a slash"},
        {"APathWithAQuery", with_schemes("paths: {\"/a?b=1\": {get: {}}}\n"), "question mark"},
        {"AnEmptySegment", with_schemes("paths: {\"/a//b\": {get: {}}}\n"), "empty segment"},
        {"AReferenceToNothing", with_schemes("paths: {/a: {$ref: '#/components/pathItems/x'}}\n"),
         "which is not there"},
        {"AReferenceToItself", with_schemes("paths: {/a: {$ref: '#/paths/~1a'}}\n"), "refers to itself"},
        {"AReferenceBesideMethods", with_schemes("paths: {/a: {$ref: 'x.yaml', get: {}}}\n"),
         "is nothing that OpenAPI has"},
        // W4: scopes that are none
        {"AScopeOfANumber", get("{security: [{o: [1]}]}"), "needs to be text, not the bare word 1; put it in quotes"},
        {"AScopeOfABoolean", get("{security: [{o: [true]}]}"), "not the bare word true"},
        {"AScopeOfAnotherYaml", get("{security: [{o: [yes]}]}"), "not the bare word yes"},
        {"AScopeOfAList", get("{security: [{o: [[\"a:b\"]]}]}"), "needs to be text, not a list"},
        {"AnEmptyScope", get("{security: [{o: [\"\"]}]}"), "needs to be text"},
        {"AnEmptyExtension", get("{x-scopes: []}"), "is empty; name what is needed"},
        {"AnExtensionOfNull", get("{x-scopes: null}"), "needs to be text, not nothing"},
        {"AnExtensionOfAMap", get("{x-scopes: {a: b}}"), "needs to be text, not a map"},
        {"AnExtensionOfNumbers", get("{x-scopes: [7]}"), "needs to be text"},
        {"ASchemeOfNoType", "openapi: 3.0.0\ncomponents: {securitySchemes: {s: {type: magic}}}\n", "is no type of"},
        {"AKeyNowhere", "openapi: 3.0.0\ncomponents: {securitySchemes: {s: {type: apiKey, in: body, name: x}}}\n",
         "needs to be header, query or cookie"},
        {"AServerBesideTheDocument", "openapi: 3.0.0\nservers: [{url: api/v1}]\n", "does not begin with a slash"},
        {"AServerAboveTheDocument", "openapi: 3.0.0\nservers: [{url: ../v1}]\n", "does not begin with a slash"},
        {"AServerWithAQuery", "openapi: 3.0.0\nservers: [{url: \"https://h?next=/x\"}]\n", "has a query"},
        {"ScopesOfAPath", "openapi: 3.0.0\npaths: {/a: {x-scopes: [\"a:b\"], get: {}}}\n", "counts for none"},
        {"AServerWithAHoleInIt", "openapi: 3.0.0\nservers: [{url: \"/{v}\"}]\n",
         "the variable \"v\" without a default"},
    }),
    [](const auto& one) { return std::string(one.param.name); });

// W5: what is asked together is not asked by turns, and each alternative keeps its own kind of credential.
TEST(OpenApi, SchemesOfOneRequirementAreMetTogether) {
  const Operation same = operation("{security: [{o: [\"a:b\"], bearer: [\"c:d\"]}]}");
  ASSERT_EQ(same.ways.size(), 1U);
  EXPECT_THAT(same.ways[0].scopes, ElementsAre("a:b", "c:d")) << "both are in Authorization";
  for (const char* two :
       {"{key: [], id: []}", "{key: [], sid: []}", "{o: [\"a:b\"], cert: []}", "{key: [], basic: []}"}) {
    const Operation both = operation("{security: [" + std::string(two) + "]}");
    EXPECT_EQ(both.who, Who::ways) << two;
    EXPECT_THAT(both.ways, IsEmpty()) << two;
  }
}

TEST(OpenApi, AlternativesKeepTheirKinds) {
  const Operation one = operation("{security: [{sid: []}, {o: [\"a:b\"]}, {cert: []}]}");
  ASSERT_EQ(one.ways.size(), 2U);
  EXPECT_TRUE(one.ways[0].by_session && !one.ways[0].by_key && one.ways[0].scopes.empty());
  EXPECT_TRUE(!one.ways[1].by_session && one.ways[1].by_key);
  EXPECT_FALSE(one.is_optional);
}

TEST(OpenApi, NothingIsOneOfTheWaysOnlyWhereItIsWritten) {
  EXPECT_EQ(operation("{security: []}").who, Who::anybody);
  EXPECT_EQ(operation("{security: [{}]}").who, Who::anybody);
  EXPECT_EQ(operation("{security: [{}, {cert: []}]}").who, Who::anybody);
  EXPECT_TRUE(operation("{security: [{}, {key: []}]}").is_optional);
  EXPECT_EQ(operation("{}").who, Who::unsaid);
  EXPECT_EQ(operation("{}", "security: [{key: []}]\n").who, Who::ways);
}

TEST(OpenApi, WhoNamesScopesWantsACredential) {
  for (const char* security : {"", ", security: []", ", security: [{}]", ", security: [{}, {key: []}]"}) {
    const Operation one = operation("{x-scopes: [\"a:b\"]" + std::string(security) + "}");
    EXPECT_EQ(one.who, Who::ways) << security;
    EXPECT_FALSE(one.is_optional) << security;
    ASSERT_EQ(one.ways.size(), 1U) << security;
    EXPECT_THAT(one.ways[0].scopes, ElementsAre("a:b")) << security;
  }
  EXPECT_THAT(operation("{x-required-scopes: \"c:d\", security: [{o: [\"a:b\"]}]}").ways[0].scopes,
              ElementsAre("a:b", "c:d"));
}

TEST(OpenApi, TakesPathsFromReferencesAndNamesWhatLiesElsewhere) {
  const OpenApi read = document(
      "paths:\n  /a: {$ref: '#/x-items/one~1two'}\n  /b: {$ref: 'other.yaml#/x'}\n  x-more: {get: {}}\n"
      "x-items: {one/two: {get: {operationId: there}, trace: {}}}\n");
  ASSERT_EQ(read.operations.size(), 1U);
  EXPECT_EQ(read.operations[0].id, "there");
  ASSERT_EQ(read.paths.size(), 2U);
  EXPECT_TRUE(read.paths[1].is_elsewhere);
  EXPECT_THAT(read.notes, ElementsAre(HasSubstr("TRACE /a"), HasSubstr("/b is described in another file")));
}

TEST(OpenApi, ServersSayWhatStandsBeforeThePaths) {
  const auto base = [](const std::string& servers) {
    const OpenApi read = document("servers: " + servers + "\npaths: {/a: {get: {}}}\n");
    return read.operations.empty() ? "none" : read.operations[0].base_path;
  };
  EXPECT_EQ(base("[{url: \"https://h.example/v1/\"}]"), "/v1");
  EXPECT_EQ(base("[{url: \"https://h.example\"}]"), "");
  EXPECT_EQ(base("[{url: /}]"), "");
  EXPECT_EQ(base("[]"), "");
  EXPECT_EQ(base("[{url: \"{s}://h/{v}\", variables: {s: {default: http}, v: {default: v2}}}]"), "/v2");
  const OpenApi others = document("servers: [{url: /}, {url: /v1}]\npaths: {/a: {get: {}}}\n");
  ASSERT_EQ(others.paths.size(), 2U);
  EXPECT_EQ(others.paths[0].base_path + others.paths[0].path, "/v1/a");
  EXPECT_TRUE(others.paths[0].is_elsewhere) << "nobody may: what is there is not known";
  const OpenApi own =
      document("servers: [{url: /v1}]\npaths: {/a: {servers: [{url: /v2}], get: {}, put: {servers: [{url: /v3}]}}}\n");
  ASSERT_EQ(own.operations.size(), 2U);
  EXPECT_EQ(own.operations[0].base_path + own.operations[1].base_path, "/v2/v3");
}

// W11
TEST(OpenApi, ABasePathIsOneThatRequestsCanHave) {
  EXPECT_EQ(base_path_of("/"), "");
  EXPECT_EQ(base_path_of(""), "");
  EXPECT_EQ(base_path_of("/api/"), "/api");
  EXPECT_EQ(base_path_of("/api//"), "/api");
  EXPECT_EQ(base_path_of("/api/v1"), "/api/v1");
  for (const char* wrong : {"api", "//api", "/api//v1", "/a/../b", "/{x}", "/a?b", "/a b", "/a%2Fb", "/%7E"}) {
    EXPECT_EQ(base_path_of(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace keygate::app
