#include "policy/policy.hpp"
#include "tests/unit/policy/builders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace keygate::policy {
namespace {

using testing::at;
using testing::compiled;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::keyed;
using testing::open_route;
using testing::rendered;
using testing::RouteBuilder;
using testing::scope;
using testing::settings_with;
using testing::text;

struct Mistake {
  std::string name;
  config::Settings settings;
  std::vector<std::string> problems;
};

std::vector<config::ScopeDocument> two_scopes() { return {scope("projects:read"), scope("projects:write")}; }

Mistake in_route(std::string name, const config::RouteDocument& route, std::vector<std::string> problems) {
  return {std::move(name), settings_with({route}, two_scopes()), std::move(problems)};
}

Mistake in_scopes(std::string name, std::vector<config::ScopeDocument> scopes, std::vector<std::string> problems) {
  return {std::move(name), settings_with({keyed("a", "/a")}, std::move(scopes)), std::move(problems)};
}

class PolicyMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(PolicyMistake, IsToldWhereItStands) {
  const auto result = compile(GetParam().settings);
  EXPECT_EQ(result.policy, nullptr);  // C-12: never "no policy, so let all pass"
  EXPECT_THAT(rendered(result.problems), ElementsAreArray(GetParam().problems));
}

// Whoever read the file has told why.
TEST(PolicyOfARouteThatCouldNotBeRead, IsNoneWithoutAWord) {
  for (const std::string path : {"/a", ""}) {
    auto settings = settings_with({keyed("a", "/a")}, two_scopes());
    settings.policy.routes[0].is_whole = false;
    settings.policy.routes[0].match.path.value = path;
    settings.policy.routes[0].require.reset();
    const auto result = compile(settings);
    EXPECT_EQ(result.policy, nullptr);
    EXPECT_THAT(rendered(result.problems), IsEmpty());
  }
}

const auto name_of = [](const auto& row) { return row.param.name; };

INSTANTIATE_TEST_SUITE_P(
    Scopes, PolicyMistake,
    ::testing::Values(
        in_scopes(
            "not_a_name", {scope("Projects:Read")},
            {"policy.yaml:2:1: scopes.Projects:Read: \"Projects:Read\" is not a scope name; write a lower-case word or "
             "resource:action, such as projects:read"}),
        in_scopes(
            "wildcard", {scope("projects:*")},
            {"policy.yaml:2:1: scopes.projects:*: \"projects:*\" is a wildcard, which keys may be granted but no route "
             "requires; list the scopes that it covers"}),
        in_scopes("doubled", {scope("a"), scope("a", {}, 3)},
                  {"policy.yaml:3:1: scopes.a: is listed already at policy.yaml:2"}),
        in_scopes("implies_unknown", {scope("projects:read"), scope("admin", {.implies = {"projects:raed"}}, 3)},
                  {"policy.yaml:3:1: scopes.admin.implies: unknown scope \"projects:raed\"; did you mean "
                   "\"projects:read\"?"}),
        in_scopes(
            "C14_unrestricted_implies_restricted",
            {scope("admin", {.restricted = true}), scope("staff", {.implies = {"admin"}}, 3)},
            {"policy.yaml:3:1: scopes.staff.implies: \"admin\" is restricted and \"staff\" is not; what a wildcard "
             "covers may not bring a restricted scope with it: restrict both"}),
        in_scopes(
            "implies_itself", {scope("a", {.implies = {"a"}})},
            {"policy.yaml:2:1: scopes.a.implies: \"a\" implies itself, at once or by way of others; scopes that imply "
             "each other are one scope: keep one"}),
        in_scopes(
            "cycle",
            {scope("a", {.implies = {"b"}}), scope("b", {.implies = {"a"}}, 3), scope("c", {.implies = {"a"}}, 4)},
            {"policy.yaml:2:1: scopes.a.implies: \"a\" implies itself, at once or by way of others; scopes that imply "
             "each other are one scope: keep one",
             "policy.yaml:3:1: scopes.b.implies: \"b\" implies itself, at once or by way of others; scopes that imply "
             "each other are one scope: keep one"})),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Access, PolicyMistake,
    ::testing::Values(
        Mistake{
            "C12_no_routes",
            settings_with({}),
            {"policy.yaml:1:1: routes: there are none, so every request would be refused; a policy needs at least one "
             "route"}},
        in_route(
            "C12_open_by_omission", RouteBuilder("a", "/a"),
            {"policy.yaml:10:1: routes[0]: says neither require nor anonymous; no route is open by omission: write "
             "require:, or anonymous: true"}),
        in_route("C14_require_nothing", RouteBuilder("a", "/a").require(),
                 {"policy.yaml:15:3: routes[0].require: requires no scope, so it must list its credentials; write "
                  "scopes:, or "
                  "credentials: [api_key] to let every valid key pass"}),
        in_route("require_environment_alone", RouteBuilder("a", "/a").environment("live"),
                 {"policy.yaml:15:3: routes[0].require: requires no scope, so it must list its credentials; write "
                  "scopes:, or "
                  "credentials: [api_key] to let every valid key pass"}),
        in_route("anonymous_and_require", keyed("a", "/a").anonymous(),
                 {"policy.yaml:10:1: routes[0]: is anonymous and has require: choose one; to let a request without a "
                  "credential pass, write optional: true beside require"}),
        in_route("anonymous_and_optional", open_route("a", "/a").optional(),
                 {"policy.yaml:10:1: routes[0]: is anonymous, so optional means nothing; leave out one of the two"}),
        in_route("optional_alone", RouteBuilder("a", "/a").optional(),
                 {"policy.yaml:10:1: routes[0]: is optional but does not say what a credential must be; write require: "
                  "beside "
                  "it, if only with credentials: [api_key]"}),
        in_route("C12_unknown_scope", RouteBuilder("a", "/a").all({"projects:read", "project:read"}),
                 {"policy.yaml:15:1: routes[0].require.scopes: unknown scope \"project:read\"; did you mean "
                  "\"projects:read\"?"}),
        in_route("C12_unknown_scope_among_any", RouteBuilder("a", "/a").any({"projects:wrte"}),
                 {"policy.yaml:15:1: routes[0].require.scopes: unknown scope \"projects:wrte\"; did you mean "
                  "\"projects:write\"?"}),
        in_route("C14_wildcard_scope", RouteBuilder("a", "/a").all({"*"}),
                 {"policy.yaml:15:1: routes[0].require.scopes: unknown scope \"*\"; a route names the scopes that it "
                  "needs one by "
                  "one"}),
        Mistake{"no_catalogue",
                settings_with({RouteBuilder("a", "/a").all({"projects:read"})}),
                {"policy.yaml:15:1: routes[0].require.scopes: unknown scope \"projects:read\"; list it under scopes "
                 "first"}},
        in_route("session", keyed("a", "/a").credentials({"api_key", "session"}),
                 {"policy.yaml:16:1: routes[0].require.credentials: nobody knows sessions; write "
                  "resolution.service.session_url"}),
        in_route("admin", keyed("a", "/a").credentials({"admin"}),
                 {"policy.yaml:16:1: routes[0].require.credentials: there is no admin secret; write "
                  "credentials.admin_secrets"}),
        in_route(
            "certificate", keyed("a", "/a").client_subjects({"CN=a"}),
            {"policy.yaml:16:1: routes[0].require.client_subject: no listener asks clients for a certificate; write "
             "listeners[].tls.client_ca_file"}),
        in_route(
            "unknown_kind", keyed("a", "/a").credentials({"apikey"}),
            {"policy.yaml:16:1: routes[0].require.credentials: unknown kind of credential \"apikey\"; did you mean "
             "\"api_key\"?"}),
        in_route(
            "organization_is_no_parameter", keyed("a", "/a/{org}").organization("org"),
            {"policy.yaml:17:1: routes[0].require.organization: \"org\" is not a parameter of the path; write it as "
             "\"{org}\""}),
        in_route(
            "organization_unknown", keyed("a", "/a/{org}").organization("{orgs}"),
            {"policy.yaml:17:1: routes[0].require.organization: the path has no parameter \"{orgs}\"; did you mean "
             "\"{org}\"?"}),
        in_route(
            "organization_is_the_rest", keyed("a", "/a/{org...}").organization("{org}"),
            {"policy.yaml:17:1: routes[0].require.organization: \"{org}\" stands for the rest of the path, not for one "
             "segment"}),
        in_route("unknown_environment", keyed("a", "/a").environment("production"),
                 {"policy.yaml:18:1: routes[0].require.environment: unknown environment \"production\"; write live or "
                  "test"})),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Match, PolicyMistake,
    ::testing::Values(
        in_route("host", keyed("a", "/a").hosts({"api example"}),
                 {"policy.yaml:11:1: routes[0].match.hosts: \"api example\" is not a host; write a name such as "
                  "api.example.com, or *.example.com for all below it"}),
        in_route("host_asterisk", keyed("a", "/a").hosts({"*"}),
                 {"policy.yaml:11:1: routes[0].match.hosts: \"*\" is not a host; to match any host, leave hosts out"}),
        in_route("host_inner_asterisk", keyed("a", "/a").hosts({"api.*.com"}),
                 {"policy.yaml:11:1: routes[0].match.hosts: \"api.*.com\" is not a host; write a name such as "
                  "api.example.com, or *.example.com for all below it"}),
        in_route(
            "host_doubled", keyed("a", "/a").hosts({"api.x", "API.x.:80"}),
            {"policy.yaml:11:1: routes[0].match.hosts: \"API.x.:80\" is listed twice; case, port and a trailing dot do "
             "not count"}),
        in_route("method_lower_case", keyed("a", "/a").methods({"get"}),
                 {"policy.yaml:12:1: routes[0].match.methods: unknown method \"get\"; did you mean \"GET\"?"}),
        in_route("method_trace", keyed("a", "/a").methods({"TRACE", "CONNECT"}),
                 {"policy.yaml:12:1: routes[0].match.methods: TRACE is never forwarded: no request could match",
                  "policy.yaml:12:1: routes[0].match.methods: CONNECT is never forwarded: no request could match"}),
        in_route("method_doubled", keyed("a", "/a").methods({"GET", "GET"}),
                 {"policy.yaml:12:1: routes[0].match.methods: GET is listed twice"}),
        in_route("P18_header_forwarding", keyed("a", "/a").header("X-Forwarded-Proto", "https"),
                 {"policy.yaml:14:1: routes[0].match.headers.X-Forwarded-Proto: \"X-Forwarded-Proto\" is what any "
                  "client may "
                  "claim about itself; no route can depend on it"}),
        in_route(
            "H01_header_identity", keyed("a", "/a").header("x_org_id", "1"),
            {"policy.yaml:14:1: routes[0].match.headers.x_org_id: \"x_org_id\" is dropped from every request, as the "
             "header of that name is ours to set; no route can depend on it"}),
        in_route("header_credential", keyed("a", "/a").header("authorization", "x"),
                 {"policy.yaml:14:1: routes[0].match.headers.authorization: \"authorization\" carries the credential, "
                  "which is "
                  "not matched on; no route can depend on it"}),
        in_route("header_framing", keyed("a", "/a").header("Host", "x"),
                 {"policy.yaml:14:1: routes[0].match.headers.Host: \"Host\" belongs to the connection, not to the "
                  "request; no "
                  "route can depend on it"}),
        in_route("header_name", keyed("a", "/a").header("x beta", "1"),
                 {"policy.yaml:14:1: routes[0].match.headers.x beta: \"x beta\" is not a header name"}),
        in_route("header_value", keyed("a", "/a").header("x-beta", "1 "),
                 {"policy.yaml:14:1: routes[0].match.headers.x-beta: no header can have this value; leave out control "
                  "characters, and spaces at either end"}),
        in_route("header_doubled", keyed("a", "/a").header("x-beta", "1").header("X-Beta", "2"),
                 {"policy.yaml:14:1: routes[0].match.headers.X-Beta: \"X-Beta\" is listed twice; case and punctuation "
                  "do not "
                  "count"}),
        in_route("route_name", keyed("a b", "/a"),
                 {"policy.yaml:10:1: routes[0].name: \"a b\" is not a route name; use up to 64 letters, digits, '_', "
                  "'-' and "
                  "'.'"}),
        Mistake{"route_name_doubled",
                settings_with({keyed("a", "/a"), keyed("a", "/b", 30)}),
                {"policy.yaml:30:1: routes[1].name: \"a\" is the name of the route at policy.yaml:10 too"}},
        Mistake{"overlap",
                settings_with({keyed("a", "/v1/{id}").methods({"GET", "PUT"}),
                               keyed("b", "/v1/{name}/", 30).methods({"PUT"})}),
                {"policy.yaml:30:1: routes[1]: overlaps the route \"a\" at policy.yaml:10: neither is the more "
                 "specific one; "
                 "let their hosts, paths, methods or header conditions differ"}}),
    name_of);

struct BadPath {
  std::string name;
  std::string path;
  std::string problem;
};

class PathMistake : public ::testing::TestWithParam<BadPath> {};

TEST_P(PathMistake, IsToldWithTheFormThatWouldMatch) {
  const auto result = compile(settings_with({keyed("a", GetParam().path)}));
  EXPECT_THAT(rendered(result.problems), ElementsAre("policy.yaml:13:1: routes[0].match.path: " + GetParam().problem));
}

INSTANTIATE_TEST_SUITE_P(
    Paths, PathMistake,
    ::testing::Values(
        BadPath{"not_canonical", "/v1/%7euser/{id}/b%2a",
                "\"/v1/%7euser/{id}/b%2a\" is not in canonical form; write "
                "\"/v1/~user/{id}/b%2A\""},
        BadPath{"rootless", "v1", "\"v1\" does not begin with a slash; write \"/v1\""},
        BadPath{"empty", "", "\"\" does not begin with a slash; write \"/\""},
        BadPath{"empty_segment", "/v1//a", "\"/v1//a\" can never match: such a path is refused; an empty segment"},
        BadPath{"only_slashes", "//", "\"//\" can never match: such a path is refused; an empty segment"},
        BadPath{"dot_segment", "/v1/../a", "\"..\" can never match: such a path is refused; a dot segment"},
        BadPath{"semicolon", "/a;b", "\"a;b\" can never match: such a path is refused; a semicolon"},
        BadPath{"encoded_slash", "/a%2Fb",
                "\"a%2Fb\" can never match: such a path is refused; an escaped separator or control "
                "character"},
        BadPath{"raw_utf8", "/caf\xc3\xa9",
                "\"caf\xc3\xa9\" can never match: such a path is refused; a byte that no target may "
                "contain"},
        BadPath{"query", "/a?b=c", "a path holds no query; leave out the question mark and what follows it"},
        BadPath{"parameter_and_text", "/a{x}",
                "\"a{x}\" mixes a parameter with other text; a parameter is a whole segment, "
                "as in /{id}"},
        BadPath{"two_parameters", "/{x}{y}",
                "\"{x}{y}\" mixes a parameter with other text; a parameter is a whole segment, as "
                "in /{id}"},
        BadPath{"open_brace", "/{x", "a brace is opened in \"{x\" and not closed; write {name}"},
        BadPath{"star", "/v1/a*",
                "\"a*\" has a *, which is no wildcard in a path; write {name} for one segment, {rest...} for all that "
                "follow"},
        BadPath{"nameless", "/{}",
                "\"{}\" is not a parameter; write {name} or {name...}, the name of letters, digits, '_' and "
                "'-'"},
        BadPath{"two_dots", "/{x..}",
                "\"{x..}\" is not a parameter; write {name} or {name...}, the name of letters, digits, "
                "'_' and '-'"},
        BadPath{"rest_not_last", "/{x...}/b", "{x...} must come last; use {x} for one segment"},
        BadPath{"parameter_twice", "/{x}/{x}", "names the parameter \"x\" twice"},
        BadPath{"rest_named_like_a_parameter", "/{x}/{x...}", "names the parameter \"x\" twice"}),
    name_of);

TEST(Compile, RefusesAPathThatIsTooDeep) {
  std::string path;
  for (std::size_t i = 0; i < RequestTarget::max_segments; ++i) path += "/a";
  EXPECT_NE(compile(settings_with({keyed("a", path)})).policy, nullptr);
  const auto result = compile(settings_with({keyed("a", path + "/a")}));
  EXPECT_THAT(rendered(result.problems), ElementsAre(HasSubstr("has more than 64 segments")));
}

TEST(Compile, RefusesACatalogueLargerThanItCanNumber) {
  std::vector<config::ScopeDocument> scopes;
  for (std::size_t i = 0; i < max_catalogue; ++i)
    scopes.push_back(scope("s" + std::to_string(i), {.implies = {"s511"}}));
  scopes.back().implies.clear();
  EXPECT_NE(compile(settings_with({keyed("a", "/a")}, scopes)).policy, nullptr);
  scopes.push_back(scope("one-more", {}, 600));
  EXPECT_THAT(rendered(compile(settings_with({keyed("a", "/a")}, scopes)).problems),
              ElementsAre("policy.yaml:600:1: scopes: the catalogue has more than 512 scopes"));
}

TEST(Compile, ReportsAllMistakesInTheOrderOfTheFile) {
  const auto result = compile(settings_with(
      {RouteBuilder("b", "/b", 30).all({"nope"}).methods({"GETT"}), RouteBuilder("a", "/a{")}, {scope("B")}));
  std::vector<int> lines;
  for (const auto& problem : result.problems) lines.push_back(problem.where.line);
  EXPECT_THAT(lines, ElementsAre(2, 10, 13, 32, 35));
}

TEST(Compile, FoldsWhatOverlaps) {
  const auto overlaps = [](const config::RouteDocument& a, const config::RouteDocument& b) {
    return !compile(settings_with({a, b})).problems.empty();
  };
  EXPECT_TRUE(overlaps(keyed("a", "/a"), keyed("b", "/a/")));
  EXPECT_TRUE(overlaps(keyed("a", "/{x}"), keyed("b", "/{y}")));
  EXPECT_TRUE(overlaps(keyed("a", "/{x...}"), keyed("b", "/{y...}")));
  EXPECT_TRUE(overlaps(keyed("a", "/a").hosts({"X.org", "y.org"}), keyed("b", "/a").hosts({"x.org."})));
  EXPECT_TRUE(overlaps(keyed("a", "/a").header("x-a", "1"), keyed("b", "/a").header("x-b", "1")));
  EXPECT_FALSE(overlaps(keyed("a", "/a").header("x-a", "1"), keyed("b", "/a").header("X-A", "2")));
  EXPECT_FALSE(overlaps(keyed("a", "/a").header("x-a", "1"), keyed("b", "/a")));
  EXPECT_FALSE(overlaps(keyed("a", "/a").methods({"GET"}), keyed("b", "/a").methods({"HEAD"})));
  EXPECT_FALSE(overlaps(keyed("a", "/a").methods({"GET"}), keyed("b", "/a")));
  EXPECT_FALSE(overlaps(keyed("a", "/a").hosts({"*.x.org"}), keyed("b", "/a").hosts({"x.org"})));
}

TEST(Compile, ResolvesARoute) {
  auto settings = settings_with({RouteBuilder("r", "/v1/{org}/x")
                                     .all({"projects:write"})
                                     .any({"projects:read", "billing"})
                                     .organization("{org}")
                                     .forward_credential()},
                                {scope("billing"), scope("projects:read"), scope("projects:write")});
  const auto policy = compiled(settings);
  const auto& route = *policy->routes.at(0);
  EXPECT_EQ(route.name, "r");
  EXPECT_EQ(route.number, 0U);
  EXPECT_EQ(route.where.line, 10);
  EXPECT_EQ(route.access, Access::required);
  EXPECT_EQ(route.scopes_text, "billing projects:read projects:write");
  EXPECT_TRUE(route.all_scopes.has(2));
  EXPECT_FALSE(route.all_scopes.has(1));
  EXPECT_TRUE(route.any_scopes.has(0));
  EXPECT_TRUE(route.accepts_api_key);
  EXPECT_FALSE(route.accepts_session);
  EXPECT_FALSE(route.accepts_admin);
  EXPECT_EQ(route.organization_segment, 1U);
  EXPECT_TRUE(route.forward_credential);
  EXPECT_FALSE(policy->unmatched_is_404);
}

TEST(Compile, ForwardsCredentialsWhereTheConfigurationSaysSoForAll) {
  auto settings = settings_with({keyed("a", "/a")});
  EXPECT_FALSE(compiled(settings)->routes.at(0)->forward_credential);
  settings.credentials.forward = true;
  EXPECT_TRUE(compiled(settings)->routes.at(0)->forward_credential);
}

// Upstreams: app (0), sandbox (1), and where asked for default (2).
config::Settings with_upstreams(const config::RouteDocument& route, bool has_default) {
  auto settings = settings_with({route});
  settings.upstreams.emplace_back().name = "sandbox";
  if (has_default) settings.upstreams.emplace_back().name = "default";
  return settings;
}

std::array<std::size_t, 3> upstreams_of(const config::Settings& settings) {
  const auto policy = compiled(settings);
  return policy ? policy->routes.at(0)->upstream : std::array<std::size_t, 3>{99, 99, 99};
}

constexpr auto none = no_upstream;

TEST(Upstreams, AreTheNamedOneTheDefaultOneOrTheOnlyOne) {
  EXPECT_THAT(upstreams_of(with_upstreams(keyed("a", "/a").upstream("sandbox"), true)), ElementsAre(1, 1, 1));
  EXPECT_THAT(upstreams_of(with_upstreams(keyed("a", "/a"), true)), ElementsAre(2, 2, 2));
  EXPECT_THAT(upstreams_of(settings_with({keyed("a", "/a")})), ElementsAre(0, 0, 0));
  EXPECT_THAT(
      rendered(compile(with_upstreams(keyed("a", "/a"), false)).problems),
      ElementsAre("policy.yaml:10:1: routes[0]: names no upstream, and none of them is called \"default\"; write "
                  "upstream: app or sandbox"));
  auto settings = settings_with({keyed("a", "/a")});
  settings.upstreams.clear();
  EXPECT_THAT(rendered(compile(settings).problems),
              ElementsAre("policy.yaml:10:1: routes[0]: there is no upstream to forward to; name one under upstreams"));
}

TEST(Upstreams, MustExist) {
  EXPECT_THAT(
      rendered(compile(with_upstreams(keyed("a", "/a").upstream("sandbx"), false)).problems),
      ElementsAre("policy.yaml:19:1: routes[0].upstream: unknown upstream \"sandbx\"; did you mean \"sandbox\"?"));
  EXPECT_THAT(
      rendered(compile(with_upstreams(keyed("a", "/a").live("app").test("sandboxes"), false)).problems),
      ElementsAre("policy.yaml:19:1: routes[0].upstream: unknown upstream \"sandboxes\"; did you mean \"sandbox\"?"));
}

TEST(Upstreams, C13AMapLeavesNoWayForAKeyWithoutAnEnvironment) {
  EXPECT_THAT(upstreams_of(with_upstreams(keyed("a", "/a").live("app").test("sandbox"), true)),
              ElementsAre(none, 0, 1));
  EXPECT_THAT(upstreams_of(with_upstreams(keyed("a", "/a").live("app"), true)), ElementsAre(none, 0, none));
  EXPECT_THAT(upstreams_of(with_upstreams(keyed("a", "/a").test("sandbox"), true)), ElementsAre(none, none, 1));
}

TEST(Upstreams, C13ARequiredEnvironmentLeavesNoWayForTheOther) {
  EXPECT_THAT(upstreams_of(with_upstreams(keyed("a", "/a").upstream("app").environment("live"), true)),
              ElementsAre(none, 0, none));
  EXPECT_THAT(upstreams_of(with_upstreams(keyed("a", "/a").environment("test"), true)), ElementsAre(none, none, 2));
  EXPECT_THAT(upstreams_of(with_upstreams(keyed("a", "/a").live("app").test("sandbox").environment("live"), true)),
              ElementsAre(none, 0, none));
  EXPECT_THAT(
      rendered(compile(with_upstreams(keyed("a", "/a").test("sandbox").environment("live"), true)).problems),
      ElementsAre("policy.yaml:19:1: routes[0].upstream: has no upstream for the environment that the route requires, "
                  "which is live"));
}

TEST(Upstreams, AreOneWhereNoCredentialIsNeeded) {
  EXPECT_THAT(upstreams_of(with_upstreams(open_route("a", "/a").upstream("sandbox"), true)),
              ElementsAre(1, none, none));
  EXPECT_THAT(upstreams_of(with_upstreams(keyed("a", "/a").optional().environment("live"), true)),
              ElementsAre(2, 2, none));
  EXPECT_THAT(upstreams_of(with_upstreams(keyed("a", "/a").optional(), true)), ElementsAre(2, 2, 2));
  for (const config::RouteDocument& route : std::vector<config::RouteDocument>{
           open_route("a", "/a").live("app").test("sandbox"), keyed("a", "/a").optional().live("app")}) {
    EXPECT_THAT(
        rendered(compile(with_upstreams(route, true)).problems),
        ElementsAre("policy.yaml:19:1: routes[0].upstream: a request without a credential has no environment to choose "
                    "an upstream by; name one upstream"));
  }
}

TEST(Upstreams, C13ATestKeyCanReachNoUpstreamByOmission) {
  const auto with_test_format = [](config::RouteDocument route) {
    auto settings = with_upstreams(std::move(route), true);
    settings.credentials.formats.emplace_back().environment = Environment::live;
    settings.credentials.formats.emplace_back().environment = Environment::test;
    return settings;
  };
  const auto problems = [&](const config::RouteDocument& route) {
    return rendered(compile(with_test_format(route)).problems);
  };
  EXPECT_THAT(
      problems(keyed("a", "/a").upstream("app")),
      ElementsAre("policy.yaml:19:1: routes[0].upstream: a test key could reach \"app\", as the route is open to every "
                  "environment; write environment: live or test under require, or upstream: {live: …, test: …}"));
  EXPECT_THAT(problems(keyed("a", "/a")), ElementsAre(HasSubstr("a test key could reach \"default\"")));
  EXPECT_THAT(problems(keyed("a", "/a").optional()), ElementsAre(HasSubstr("a test key could reach \"default\"")));
  EXPECT_THAT(problems(keyed("a", "/a").environment("live")), IsEmpty());
  EXPECT_THAT(problems(keyed("a", "/a").live("app").test("sandbox")), IsEmpty());
  EXPECT_THAT(problems(open_route("a", "/a")), IsEmpty());
  EXPECT_THAT(problems(keyed("a", "/a").environment("lve")), ElementsAre(HasSubstr("unknown environment \"lve\"")));
}

TEST(HeaderNamesOfTheConfiguration, StayOutOfEachOthersWay) {
  auto settings = settings_with({keyed("a", "/a")});
  settings.identity_headers.organization = "Content_Length";
  settings.identity_headers.key = "X Key";
  settings.identity_headers.user = "x_scopes";
  settings.identity_headers.environment = "X-Api-Key";
  settings.identity_headers.method = "";
  EXPECT_THAT(rendered(compile(settings).problems),
              ::testing::UnorderedElementsAre(
                  "keygate.yaml: identity_headers.organization: \"Content_Length\" belongs to the connection, not to "
                  "the request",
                  "keygate.yaml: identity_headers.key: \"X Key\" is not a header name",
                  "keygate.yaml: identity_headers.scopes: \"X-Scopes\" is the name of another identity header too",
                  "keygate.yaml: identity_headers.environment: \"X-Api-Key\" carries credentials, so it cannot carry "
                  "an identity"));
}

TEST(HeaderNamesOfTheConfiguration, KeepCredentialsOutOfFraming) {
  auto settings = settings_with({keyed("a", "/a")});
  settings.credentials.sources = {{config::CredentialSource::Kind::header, "host"}};
  EXPECT_THAT(rendered(compile(settings).problems),
              ElementsAre("keygate.yaml: credentials.sources: \"host\" belongs to the connection, not to the request"));
}

TEST(Compile, KeepsWhatUnmatchedRequestsGet) {
  auto settings = settings_with({keyed("a", "/a")});
  settings.policy.unmatched_is_404 = true;
  EXPECT_TRUE(compiled(settings)->unmatched_is_404);
}

}  // namespace
}  // namespace keygate::policy
