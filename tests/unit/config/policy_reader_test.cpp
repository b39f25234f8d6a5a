#include "config/policy_reader.hpp"

#include "tests/unit/config/loading.hpp"

#include <gmock/gmock.h>

namespace keygate::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> values(const std::vector<Text>& texts) {
  std::vector<std::string> result;
  for (const auto& text : texts) result.push_back(text.value);
  return result;
}

std::string place(const Position& where) { return std::to_string(where.line) + ":" + std::to_string(where.column); }

const std::string full_policy = R"(  version: 1
  unmatched: 404
  scopes:
    projects:read: List projects
    admin:
      description: |
        Everything.
        Really.
      restricted: true
      implies: [projects:read]
  routes:
    - name: read-project
      match:
        hosts: [api.example.com, "*.example.com"]
        methods: GET
        path: /projects/{project}
        headers: {x-beta: "true"}
      require:
        scopes: {any: [projects:read, admin], all: [a, b]}
        credentials: api_key
        organization: "{org}"
        environment: live
      upstream: {live: app, test: sandbox}
      forward_credential: true
    - name: one
      match: {hosts: a.example.com, methods: [GET, POST], path: /}
      require: {scopes: projects:read}
      optional: true
      upstream: app
)";

TEST(PolicyReader, EveryKeyReachesTheDocument) {
  const auto loaded = load(policy_follows + full_policy);
  ASSERT_THAT(rendered(loaded), IsEmpty());
  const auto& policy = loaded.settings->policy;
  EXPECT_TRUE(policy.unmatched_is_404);
  ASSERT_EQ(policy.scopes.size(), 2u);
  EXPECT_EQ(policy.scopes[0].name.value, "projects:read");
  EXPECT_EQ(policy.scopes[0].description, "List projects");
  EXPECT_FALSE(policy.scopes[0].restricted);
  EXPECT_EQ(policy.scopes[1].description, "Everything.\nReally.\n");
  EXPECT_TRUE(policy.scopes[1].restricted);
  EXPECT_THAT(values(policy.scopes[1].implies), ElementsAre("projects:read"));

  ASSERT_EQ(policy.routes.size(), 2u);
  const auto& first = policy.routes[0];
  EXPECT_EQ(first.name.value, "read-project");
  EXPECT_THAT(values(first.match.hosts), ElementsAre("api.example.com", "*.example.com"));
  EXPECT_THAT(values(first.match.methods), ElementsAre("GET"));
  EXPECT_EQ(first.match.path.value, "/projects/{project}");
  EXPECT_EQ(first.match.headers.at(0).name.value, "x-beta");
  EXPECT_EQ(first.match.headers.at(0).value.value, "true");
  EXPECT_THAT(values(first.require->any_scopes), ElementsAre("projects:read", "admin"));
  EXPECT_THAT(values(first.require->all_scopes), ElementsAre("a", "b"));
  EXPECT_THAT(values(first.require->credentials), ElementsAre("api_key"));
  EXPECT_EQ(first.require->organization->value, "{org}");
  EXPECT_EQ(first.require->environment->value, "live");
  EXPECT_EQ(first.upstream.live->value, "app");
  EXPECT_EQ(first.upstream.test->value, "sandbox");
  EXPECT_FALSE(first.upstream.single.has_value());
  EXPECT_TRUE(first.forward_credential);
  EXPECT_FALSE(first.anonymous);

  const auto& second = policy.routes[1];
  EXPECT_THAT(values(second.match.hosts), ElementsAre("a.example.com"));
  EXPECT_THAT(values(second.require->all_scopes), ElementsAre("projects:read"));
  EXPECT_THAT(second.require->any_scopes, IsEmpty());
  EXPECT_TRUE(second.optional);
  EXPECT_EQ(second.upstream.single->value, "app");
}

TEST(PolicyReader, EveryValueKnowsItsPlace) {
  const auto loaded = load(policy_follows + full_policy);
  ASSERT_NE(loaded.settings, nullptr);
  const auto& policy = loaded.settings->policy;
  EXPECT_EQ(place(policy.scopes[0].name.where), "7:5");
  EXPECT_EQ(place(policy.scopes[1].implies[0].where), "13:17");
  const auto& route = policy.routes[0];
  EXPECT_EQ(place(route.where), "15:7");
  EXPECT_EQ(place(route.name.where), "15:13");
  EXPECT_EQ(place(route.match.hosts[1].where), "17:34");
  EXPECT_EQ(place(route.match.methods[0].where), "18:18");
  EXPECT_EQ(place(route.match.path.where), "19:15");
  EXPECT_EQ(place(route.match.headers[0].name.where), "20:19");
  EXPECT_EQ(place(route.match.headers[0].value.where), "20:27");
  EXPECT_EQ(place(route.require->where), "22:9");
  EXPECT_EQ(place(route.require->any_scopes[1].where), "22:39");
  EXPECT_EQ(place(route.require->credentials[0].where), "23:22");
  EXPECT_EQ(place(route.require->environment->where), "25:22");
  EXPECT_EQ(place(route.upstream.test->where), "26:35");
  EXPECT_EQ(*route.name.where.file, "conf/keygate.yaml");
}

TEST(PolicyReader, OneScalarIsAListOnlyWhereThatIsPlain) {
  const auto route = [](const std::string& rest) {
    return policy_follows + "  routes:\n    - {name: a, match: {path: /}, " + rest + "}\n";
  };
  EXPECT_THAT(faults_in(route("require: {credentials: api_key}")), IsEmpty());
  EXPECT_THAT(faults_in(route("require: {scopes: {any: a}}")), ElementsAre(HasSubstr("scopes.any: needs a list, not")));
  EXPECT_THAT(faults_in(route("upstream: [a]")),
              ElementsAre(HasSubstr("upstream: needs an upstream's name, or {live")));
  EXPECT_THAT(faults_in(route("upstream: {}")), ElementsAre(HasSubstr("upstream: the map is empty")));
  EXPECT_THAT(faults_in(route("upstream: {prod: a}")), ElementsAre(HasSubstr("unknown key \"prod\"; known here: live, "
                                                                             "test")));
}

TEST(PolicyReader, EmptyListsAndMapsAreErrors) {
  const std::vector<std::string> rests{"match: {path: /, hosts: []}",
                                       "match: {path: /, methods: []}",
                                       "match: {path: /, headers: {}}",
                                       "match: {path: /}, require: {credentials: []}",
                                       "match: {path: /}, require: {scopes: {all: []}}",
                                       "match: {path: /}, require: {scopes: {any: []}}"};
  for (const auto& rest : rests) {
    EXPECT_THAT(faults_in(policy_follows + "  routes: [{name: a, " + rest + "}]\n"),
                ElementsAre(HasSubstr(" is empty")))
        << rest;
  }
  EXPECT_THAT(faults_in(policy_follows + "  scopes: {}\n  routes: [{name: a, match: {path: /}}]\n"),
              ElementsAre(HasSubstr("policy.scopes: the map is empty")));
}

TEST(PolicyReader, EnvironmentIsLiveOrTest) {
  EXPECT_THAT(faults_in(policy_follows + "  routes: [{name: a, match: {path: /}, require: {environment: tset}}]\n"),
              ElementsAre(HasSubstr("require.environment: needs live or test, not \"tset\"; did you mean \"test\"?")));
}

TEST(PolicyReader, ABooleanIsNeitherQuotedNorAWordForOne) {
  for (const char* value : {"\"true\"", "yes", "on", "True", "1", "'false'", "no"}) {
    EXPECT_THAT(faults_in(policy_follows + "  routes: [{name: a, match: {path: /}, anonymous: " + value + "}]\n"),
                ElementsAre(HasSubstr("anonymous: needs true or false, not ")))
        << value;
  }
}

TEST(PolicyReader, NullIsNoText) {
  for (const char* value : {"", "~", "null", "Null", "NULL"}) {
    EXPECT_THAT(faults_in(policy_follows + "  routes: [{match: {path: /}, name: " + value + "}]\n"),
                ElementsAre(HasSubstr(":4:31: policy.routes[0].name: needs text, but is empty")))
        << value;
  }
  EXPECT_EQ(
      load(policy_follows + "  routes: [{match: {path: /}, name: 'null'}]\n").settings->policy.routes[0].name.value,
      "null");
}

}  // namespace
}  // namespace keygate::config
