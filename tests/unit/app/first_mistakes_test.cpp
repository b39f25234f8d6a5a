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
            {}},
    Mistake{"AKeyFurtherOutThanItsNeighbours",
            route("      match:\n          methods: GET\n        path: /x\n      anonymous: true\n"),
            {}},
    Mistake{"ATabForIndentation", route("      match:\n\tpath: /x\n      anonymous: true\n"), {}},
    Mistake{"AKeyBesideTheOneItBelongsUnder", route("      path: /x\n      anonymous: true\n"), {}},
    Mistake{"NoBlankBehindAColon", route("      match:\n        path:/x\n      anonymous: true\n"), {}},
    Mistake{"NoColon", route("      match:\n        path /x\n        methods: GET\n      anonymous: true\n"), {}},
    Mistake{"NoDashBeforeARoute",
            start + "policy:\n  routes:\n    name: one\n    match: {path: /}\n    anonymous: true\n",
            {}},
    Mistake{"AKeyTwice", route("      match: {path: /a}\n      anonymous: true\n      match: {path: /b}\n"), {}},
    Mistake{"AScopeMisspelt", requiring("{scopes: \"projects:raed\"}"), {}},
    Mistake{"TwoScopesInOneText", requiring("{scopes: \"projects:read, projects:write\"}"), {}},
    Mistake{"AListOfScopes", requiring("{scopes: [\"projects:read\", \"projects:write\"]}"), {}},
    Mistake{"AScopeThatIsNotInTheCatalogue", requiring("{scopes: billing}"), {}},
    Mistake{"AScopeInPlaceOfTheMap", requiring("\"projects:read\""), {}},
    Mistake{
        "TheCatalogueAsAList",
        start + "policy:\n  scopes: [\"projects:read\"]\n  routes: [{name: one, match: {path: /}, anonymous: true}]\n",
        {}},
    Mistake{"AListWhereOneIsNeeded", matching("{path: [/a, /b]}"), {}},
    Mistake{"MethodsInLowerCase", matching("{methods: [get, Post], path: /}"), {}},
    Mistake{"MethodsInOneText", matching("{methods: \"GET, POST\", path: /}"), {}},
    Mistake{"APathWithoutASlash", matching("{path: v1/projects}"), {}},
    Mistake{"AUrlForAPath", matching("{path: \"https://api.example.com/v1\"}"), {}},
    Mistake{"AQueryInAPath", matching("{path: \"/v1?all=1\"}"), {}},
    Mistake{"AParameterNotClosed", matching("{path: \"/v1/{org/x\"}"), {}},
    Mistake{"AParameterWithinAText", matching("{path: \"/v1/user-{id}\"}"), {}},
    Mistake{"AParameterWithoutQuotes", matching("{path: /v1/{org}}"), {}},
    Mistake{"AStarAsNginxHasIt", matching("{path: /api/*}"), {}},
    Mistake{"TwoStars", matching("{path: /api/**}"), {}},
    Mistake{"AParameterAsExpressHasIt", matching("{path: \"/users/:id\"}"), {}},
    Mistake{"ARegularExpression", matching("{path: \"^/v1/.*$\"}"), {}},
    Mistake{"ARegularExpressionWithin", matching("{path: \"/v1/[0-9]+\"}"), {}},
    Mistake{"AHostWithAScheme", matching("{hosts: \"https://api.example.com\", path: /}"), {}},
    Mistake{"AHostWithAPath", matching("{hosts: api.example.com/v1, path: /}"), {}},
    Mistake{"AStarWithoutQuotes", matching("{hosts: [*.example.com], path: /}"), {}},
    Mistake{"NeitherRequireNorAnonymous", route("      match: {path: /}\n"), {}},
    Mistake{"AnonymousAndRequire",
            route("      match: {path: /}\n      anonymous: true\n      require: {scopes: \"projects:read\"}\n"),
            {}},
    Mistake{"YesForTrue", route("      match: {path: /}\n      anonymous: yes\n"), {}},
    Mistake{"TrueInQuotes", route("      match: {path: /}\n      anonymous: \"true\"\n"), {}},
    Mistake{"AnOrganizationThatIsNotInThePath", requiring("{scopes: \"projects:read\", organization: \"{org}\"}"), {}},
    Mistake{"AnOrganizationWithoutBraces", requiring("{scopes: \"projects:read\", organization: project}"), {}},
    Mistake{"AnOrganizationWithoutQuotes", requiring("{scopes: \"projects:read\", organization: {project}}"), {}},
    Mistake{"AnUnknownKindOfCredential", requiring("{credentials: [jwt]}"), {}},
    Mistake{"ADurationWithoutAUnit", whole + "limits: {header_timeout: 10}\n", {}},
    Mistake{"ARateAsOthersHaveIt", with("      rate_limit: 100/min\n"), {}},
    Mistake{"AnOriginWithAPath", with("      cors: {origins: [\"https://app.example.com/\"]}\n"), {}},
    Mistake{"AnOriginWithoutItsScheme", with("      cors: {origins: [app.example.com]}\n"), {}},
    Mistake{"AnUpstreamWithoutItsScheme", "upstream: localhost:3000\n" + whole.substr(whole.find('\n') + 1), {}},
    Mistake{"AnUpstreamWithAPath", "upstream: http://localhost:3000/api\n" + whole.substr(whole.find('\n') + 1), {}},
    Mistake{"AnUpstreamThatIsNotThere",
            with("      upstream: ap\n") + "upstreams: {app: {endpoints: [http://127.0.0.1:1]}}\n",
            {}},
    Mistake{"TwoUpstreamsAndNoneNamed",
            whole.substr(whole.find('\n') + 1) +
                "upstreams: {app: {endpoints: [http://a]}, web: {endpoints: [http://b]}}\n",
            {}},
    Mistake{"AnAddressInPlaceOfAnUpstream",
            whole.substr(whole.find('\n') + 1) + "upstreams: {app: http://127.0.0.1:3000}\n",
            {}},
    Mistake{"AListenerWithoutAHost", whole + "listen: :8080\n", {}},
    Mistake{
        "ASecretWrittenOut",
        whole +
            "credentials: {admin_secrets: [{name: ops, secret: 0123456789abcdef0123456789abcdef, scopes: [\"*\"]}]}\n",
        {}},
    Mistake{"ATokenInPlaceOfItsFile",
            "upstream: http://127.0.0.1:3000\npolicy: {routes: [{name: a, match: {path: /}, anonymous: "
            "true}]}\nresolution: {service: {url: \"https://keys.internal/v1\", token: abc}}\n",
            {}},
    Mistake{"AVariableThatIsNotSet", whole + "threads: ${THREADS}\n", {}},
    Mistake{"AMisspeltKey", whole + "lissten: 127.0.0.1:8080\n", {}},
    Mistake{"AColonWithinText",
            start + "policy:\n  scopes:\n    projects:read: Read: all of it\n  routes: [{name: one, match: {path: /}, "
                    "anonymous: true}]\n",
            {}},
    Mistake{"AQuoteWithinQuotes",
            start + "policy:\n  scopes:\n    projects:read: 'the project's details'\n  routes: [{name: one, match: "
                    "{path: /}, anonymous: true}]\n",
            {}},
    Mistake{
        "ANameWithABlank", start + "policy:\n  routes: [{name: my route, match: {path: /}, anonymous: true}]\n", {}},
};

INSTANTIATE_TEST_SUITE_P(Table, FirstMistakes, testing::ValuesIn(mistakes),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace keygate::app
