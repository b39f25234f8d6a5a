// The mistakes that people make in their first configuration and their first policy, and, to the letter, what each is
// answered with. Whoever reads the answer has to be able to mend the file without looking anything up.
#include "app/prepare.hpp"

#include <gmock/gmock.h>

#include <ostream>
#include <string>
#include <vector>

namespace keygate::app {
namespace {

struct Mistake {
  std::string name;
  std::string yaml;
  std::vector<std::string> answer;  // after "keygate.yaml:"
};
void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }

const std::string start = "upstream: http://127.0.0.1:3000\nresolution: {store: {path: keygate.db}}\n";
const std::string whole = start + "policy: {routes: [{name: all, match: {path: /}, anonymous: true}]}\n";

// A policy with one route; what stands in it begins on line 7, indented by six.
std::string route(const std::string& text) {
  return start +
         "policy:\n  scopes: {\"projects:read\": Read, \"projects:write\": Write}\n  routes:\n    - name: one\n" + text;
}
std::string matching(const std::string& match) { return route("      match: " + match + "\n      anonymous: true\n"); }
std::string requiring(const std::string& require) {
  return route("      match: {path: \"/v1/{project}\"}\n      require: " + require + "\n");
}
std::string with(const std::string& more) { return route("      match: {path: /}\n      anonymous: true\n" + more); }

class FirstMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(FirstMistakes, AreAnsweredSoThatTheyCanBeMended) {
  config::LoadOptions options;
  options.environment = [](const std::string&) { return std::nullopt; };
  const auto loaded = config::load_text(GetParam().yaml, "keygate.yaml", options);
  std::vector<std::string> answer, expected;
  for (const auto& problem : prepare(loaded, 1, ReadSecrets::no).problems) answer.push_back(config::render(problem));
  for (const auto& line : GetParam().answer) expected.push_back("keygate.yaml:" + line);
  EXPECT_THAT(answer, testing::ElementsAreArray(expected)) << GetParam().yaml;
}

const std::vector<Mistake> mistakes{
    Mistake{"AKeyFurtherInThanItsNeighbour",
            route("      match:\n        methods: GET\n          path: /x\n      anonymous: true\n"),
            {"9:11: this line begins in column 11 and the one above in column 9; keys of one map begin in the same "
             "column"}},
    Mistake{
        "AKeyFurtherOutThanItsNeighbours",
        route("      match:\n          methods: GET\n        path: /x\n      anonymous: true\n"),
        {"9:9: this line begins in column 9, where no map around it begins; keys of one map begin in the same column"}},
    Mistake{"ATabForIndentation",
            route("      match:\n\tpath: /x\n      anonymous: true\n"),
            {"8:1: a tab indents this line; YAML is indented with blanks alone"}},
    Mistake{"AKeyBesideTheOneItBelongsUnder",
            route("      path: /x\n      anonymous: true\n"),
            {"6:7: policy.routes[0]: \"match\" is missing",
             "7:7: policy.routes[0]: unknown key \"path\"; it belongs under match: match: {path: ...}"}},
    Mistake{"NoBlankBehindAColon",
            route("      match:\n        path:/x\n      anonymous: true\n"),
            {"8:9: policy.routes[0].match: needs a map, not \"path:/x\"; write {path: ...}"}},
    Mistake{"NoColon",
            route("      match:\n        path /x\n        methods: GET\n      anonymous: true\n"),
            {"8:9: there is no colon with a blank behind it on this line; write KEY: VALUE"}},
    Mistake{"NoDashBeforeARoute",
            start + "policy:\n  routes:\n    name: one\n    match: {path: /}\n    anonymous: true\n",
            {"5:5: policy.routes: needs a list, not a map; begin each of its items with \"- \""}},
    Mistake{"AKeyTwice",
            route("      match: {path: /a}\n      anonymous: true\n      match: {path: /b}\n"),
            {"9:7: policy.routes[0]: duplicate key \"match\"; it already stands on line 7"}},
    Mistake{"AScopeMisspelt",
            requiring("{scopes: \"projects:raed\"}"),
            {"8:25: routes[0].require.scopes: unknown scope \"projects:raed\"; did you mean \"projects:read\"?"}},
    Mistake{"TwoScopesInOneText",
            requiring("{scopes: \"projects:read, projects:write\"}"),
            {"8:25: routes[0].require.scopes: unknown scope \"projects:read, projects:write\"; write {all: [...]} or "
             "{any: [...]} for several"}},
    Mistake{"AListOfScopes",
            requiring("{scopes: [\"projects:read\", \"projects:write\"]}"),
            {"8:25: policy.routes[0].require.scopes: needs a scope, {all: [...]} or {any: [...]}, not a list; a list "
             "alone does not say whether all or any of it is needed"}},
    Mistake{"AScopeThatIsNotInTheCatalogue",
            requiring("{scopes: billing}"),
            {"8:25: routes[0].require.scopes: unknown scope \"billing\"; list it under scopes, or name one of those "
             "there"}},
    Mistake{"AScopeInPlaceOfTheMap",
            requiring("\"projects:read\""),
            {"8:16: policy.routes[0].require: needs a map, not \"projects:read\"; write {scopes: ...}"}},
    Mistake{
        "TheCatalogueAsAList",
        start + "policy:\n  scopes: [\"projects:read\"]\n  routes: [{name: one, match: {path: /}, anonymous: true}]\n",
        {"4:11: policy.scopes: needs a map, not a list; write NAME: VALUE, without dashes or brackets"}},
    Mistake{"AListWhereOneIsNeeded",
            matching("{path: [/a, /b]}"),
            {"7:21: policy.routes[0].match.path: needs text, not a list; write one, without brackets or dashes"}},
    Mistake{"MethodsInLowerCase",
            matching("{methods: [get, Post], path: /}"),
            {"7:25: routes[0].match.methods: unknown method \"get\"; did you mean \"GET\"?",
             "7:30: routes[0].match.methods: unknown method \"Post\"; did you mean \"POST\"?"}},
    Mistake{"MethodsInOneText",
            matching("{methods: \"GET, POST\", path: /}"),
            {"7:24: routes[0].match.methods: unknown method \"GET, POST\"; write a list: [GET, POST]"}},
    Mistake{"APathWithoutASlash",
            matching("{path: v1/projects}"),
            {"7:21: routes[0].match.path: \"v1/projects\" does not begin with a slash; write \"/v1/projects\""}},
    Mistake{"AUrlForAPath",
            matching("{path: \"https://api.example.com/v1\"}"),
            {"7:21: routes[0].match.path: \"https://api.example.com/v1\" does not begin with a slash; leave out the "
             "scheme and the host"}},
    Mistake{"AQueryInAPath",
            matching("{path: \"/v1?all=1\"}"),
            {"7:21: routes[0].match.path: a path holds no query; leave out the question mark and what follows it"}},
    Mistake{"AParameterNotClosed",
            matching("{path: \"/v1/{org/x\"}"),
            {"7:21: routes[0].match.path: a brace is opened in \"{org\" and not closed; write {name}"}},
    Mistake{"AParameterWithinAText",
            matching("{path: \"/v1/user-{id}\"}"),
            {"7:21: routes[0].match.path: \"user-{id}\" mixes a parameter with other text; a parameter is a whole "
             "segment, as in /{id}"}},
    Mistake{"AParameterWithoutQuotes",
            matching("{path: /v1/{org}}"),
            {"7:25: a brace stands within text that is in brackets itself; quote it, as in {path: \"/v1/{id}\"}"}},
    Mistake{"AStarAsNginxHasIt",
            matching("{path: /api/*}"),
            {"7:21: routes[0].match.path: \"*\" has a *, which is no wildcard in a path; write {name} for one segment, "
             "{rest...} for all that follow"}},
    Mistake{"TwoStars",
            matching("{path: /api/**}"),
            {"7:21: routes[0].match.path: \"**\" has a *, which is no wildcard in a path; write {name} for one "
             "segment, {rest...} for all that follow"}},
    Mistake{"AParameterAsExpressHasIt",
            matching("{path: \"/users/:id\"}"),
            {"7:21: routes[0].match.path: \":id\" stands for itself: no parameter begins with a colon; write {id}"}},
    Mistake{"ARegularExpression",
            matching("{path: \"^/v1/.*$\"}"),
            {"7:21: policy.routes[0].match.path: a single dollar stands at the end; write $$ for a dollar; nothing "
             "here is a regular expression"}},
    Mistake{"ARegularExpressionWithoutItsEnd",
            matching("{path: \"^/v1/.*\"}"),
            {"7:21: routes[0].match.path: \"^/v1/.*\" does not begin with a slash; paths are no regular expressions: "
             "write {name} for one segment, {rest...} for the rest"}},
    Mistake{"ARegularExpressionWithin",
            matching("{path: \"/v1/[0-9]+\"}"),
            {"7:21: routes[0].match.path: \"[0-9]+\" looks like a regular expression, and paths are none; write {name} "
             "for one segment, {rest...} for all that follow"}},
    Mistake{"AHostWithAScheme",
            matching("{hosts: \"https://api.example.com\", path: /}"),
            {"7:22: routes[0].match.hosts: \"https://api.example.com\" is not a host; write the name alone: "
             "api.example.com"}},
    Mistake{
        "AHostWithAPath",
        matching("{hosts: api.example.com/v1, path: /}"),
        {"7:22: routes[0].match.hosts: \"api.example.com/v1\" is not a host; write the name alone: api.example.com"}},
    Mistake{"AStarWithoutQuotes",
            matching("{hosts: [*.example.com], path: /}"),
            {"7:23: text that begins with * is an alias to YAML; quote it: \"*.example.com\""}},
    Mistake{"NeitherRequireNorAnonymous",
            route("      match: {path: /}\n"),
            {"6:7: routes[0]: says neither require nor anonymous; no route is open by omission: write require:, or "
             "anonymous: true"}},
    Mistake{"AnonymousAndRequire",
            route("      match: {path: /}\n      anonymous: true\n      require: {scopes: \"projects:read\"}\n"),
            {"6:7: routes[0]: is anonymous and has require: choose one; to let a request without a credential pass, "
             "write optional: true beside require"}},
    Mistake{"YesForTrue",
            route("      match: {path: /}\n      anonymous: yes\n"),
            {"8:18: policy.routes[0].anonymous: needs true or false, not \"yes\""}},
    Mistake{"TrueInQuotes",
            route("      match: {path: /}\n      anonymous: \"true\"\n"),
            {"8:18: policy.routes[0].anonymous: needs true or false, not quoted text; write true without quotes"}},
    Mistake{"AnOrganizationThatIsNotInThePath",
            requiring("{scopes: \"projects:read\", organization: \"{org}\"}"),
            {"8:56: routes[0].require.organization: the path has no parameter \"{org}\"; name it in match.path, as in "
             "/v1/{org}/projects"}},
    Mistake{
        "AnOrganizationWithoutBraces",
        requiring("{scopes: \"projects:read\", organization: project}"),
        {"8:56: routes[0].require.organization: \"project\" is not a parameter of the path; write it as \"{org}\""}},
    Mistake{
        "AnOrganizationWithoutQuotes",
        requiring("{scopes: \"projects:read\", organization: {project}}"),
        {"8:56: policy.routes[0].require.organization: needs text, not a map; text in braces needs quotes: \"{...}\""}},
    Mistake{"AnUnknownKindOfCredential",
            requiring("{credentials: [jwt]}"),
            {"8:31: policy.routes[0].require.credentials[0]: needs api_key, session or admin, not \"jwt\""}},
    Mistake{
        "ADurationWithoutAUnit",
        whole + "limits: {header_timeout: 10}\n",
        {"4:26: limits.header_timeout: needs a duration from 10ms to 60m, not \"10\"; add the unit: 10ms, 10s or 10m"}},
    Mistake{"ARateAsOthersHaveIt",
            with("      rate_limit: 100/min\n"),
            {"9:19: policy.routes[0].rate_limit: needs a map {limit: 600, window: 1m, per: key}, not \"100/min\"; "
             "write {limit: 100, window: 1m, per: key}"}},
    Mistake{"AnOriginWithAPath",
            with("      cors: {origins: [\"https://app.example.com/\"]}\n"),
            {"9:24: routes[0].cors.origins: \"https://app.example.com/\" goes on behind the host, and an origin ends "
             "there; write \"https://app.example.com\""}},
    Mistake{"AnOriginWithoutItsScheme",
            with("      cors: {origins: [app.example.com]}\n"),
            {"9:24: routes[0].cors.origins: \"app.example.com\" is not an origin; write it with its scheme, as in "
             "https://app.example.com"}},
    Mistake{"AnUpstreamWithoutItsScheme",
            "upstream: localhost:3000\n" + whole.substr(whole.find('\n') + 1),
            {"1:11: upstream: \"localhost:3000\" is not an http:// address; write http://host:port, such as "
             "http://127.0.0.1:3000"}},
    Mistake{"AnUpstreamWithAPath",
            "upstream: http://localhost:3000/api\n" + whole.substr(whole.find('\n') + 1),
            {"1:11: upstream: an endpoint has no path; write http://localhost:3000"}},
    Mistake{"AnUpstreamThatIsNotThere",
            with("      upstream: ap\n") + "upstreams: {app: {endpoints: [http://127.0.0.1:1]}}\n",
            {"9:17: routes[0].upstream: unknown upstream \"ap\"; did you mean \"app\"?"}},
    Mistake{"TwoUpstreamsAndNoneNamed",
            whole.substr(whole.find('\n') + 1) +
                "upstreams: {app: {endpoints: [http://a]}, web: {endpoints: [http://b]}}\n",
            {"2:19: routes[0]: names no upstream, and none of them is called \"default\"; write upstream: app or web"}},
    Mistake{"AnAddressInPlaceOfAnUpstream",
            whole.substr(whole.find('\n') + 1) + "upstreams: {app: http://127.0.0.1:3000}\n",
            {"3:18: upstreams.app: needs a map, not \"http://127.0.0.1:3000\"; write {endpoints: ...}"}},
    Mistake{"AListenerWithoutAHost",
            whole + "listen: :8080\n",
            {"4:9: listen: \":8080\" has no host; write 127.0.0.1:8080 or 0.0.0.0:8080"}},
    Mistake{
        "ASecretWrittenOut",
        whole +
            "credentials: {admin_secrets: [{name: ops, secret: 0123456789abcdef0123456789abcdef, scopes: [\"*\"]}]}\n",
        {"4:51: warning: credentials.admin_secrets[0].secret: a secret stands in the configuration itself; keep it in "
         "a file or in the environment, and name that: secret_file or secret_env"}},
    Mistake{"ATokenInPlaceOfItsFile",
            "upstream: http://127.0.0.1:3000\npolicy: {routes: [{name: a, match: {path: /}, anonymous: "
            "true}]}\nresolution: {service: {url: \"https://keys.internal/v1\", token: abc}}\n",
            {"3:57: resolution.service: unknown key \"token\"; did you mean \"token_file\" or \"token_env\"?"}},
    Mistake{"AVariableThatIsNotSet",
            whole + "threads: ${THREADS}\n",
            {"4:10: threads: the environment variable THREADS is not set; set it, or write ${THREADS:-default}"}},
    Mistake{"AMisspeltKey",
            whole + "lissten: 127.0.0.1:8080\n",
            {"4:1: unknown key \"lissten\"; did you mean \"listen\"?"}},
    Mistake{"AColonWithinText",
            start + "policy:\n  scopes:\n    projects:read: Read: all of it\n  routes: [{name: one, match: {path: /}, "
                    "anonymous: true}]\n",
            {"5:24: a second colon with a blank behind it stands on this line; quote text that has one in it"}},
    Mistake{"AQuoteWithinQuotes",
            start + "policy:\n  scopes:\n    projects:read: 'the project's details'\n  routes: [{name: one, match: "
                    "{path: /}, anonymous: true}]\n",
            {"5:33: a quoted text ends before this; within quotes, write '' for ' and \\\" for \""}},
    Mistake{"ANameWithABlank",
            start + "policy:\n  routes: [{name: my route, match: {path: /}, anonymous: true}]\n",
            {"4:19: routes[0].name: \"my route\" is not a route name; use up to 64 letters, digits, '_', '-' and '.'"}},
};

INSTANTIATE_TEST_SUITE_P(Table, FirstMistakes, testing::ValuesIn(mistakes),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace keygate::app
