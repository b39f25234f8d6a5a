// Routes under `paths`: which literals they may have, what is warned of, and what a path is that a route governs.
#include "policy/decide.hpp"
#include "policy/reason.hpp"
#include "tests/unit/policy/builders.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace keygate::policy {
namespace {

using config::PathSettings;
using testing::compiled;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::keyed;
using testing::open_route;
using testing::rendered;
using testing::scope;
using testing::settings_with;
using ::testing::SizeIs;
using testing::TargetText;

constexpr PathSettings opaque{.opaque_slashes = true};
constexpr PathSettings merge{.merge_slashes = true};
constexpr PathSettings resolve{.resolve_dots = true};
constexpr PathSettings allow{.allow_semicolons = true};

std::vector<std::string> said(PathSettings paths, std::vector<config::RouteDocument> routes,
                              std::vector<config::ScopeDocument> scopes = {}) {
  auto settings = settings_with(std::move(routes), std::move(scopes));
  settings.paths = paths;
  return rendered(compile(settings).problems);
}

TEST(RelaxedRoutes, MayHaveLiteralsThatAreTaken) {
  EXPECT_THAT(said(opaque, {keyed("a", "/a%2Fb/{x}")}), IsEmpty());
  EXPECT_THAT(said(allow, {keyed("a", "/a;v=1/{x}")}), IsEmpty());
}

TEST(RelaxedRoutes, HaveTheirLiteralsInCanonicalForm) {
  EXPECT_THAT(said(opaque, {keyed("a", "/a%2fb")}),
              ElementsAre(HasSubstr("is not in canonical form; write \"/a%2Fb\"")));
  EXPECT_THAT(said(merge, {keyed("a", "/a//b")}),
              ElementsAre(HasSubstr("\"/a//b\" can never match: slashes in a row are merged first; write one slash")));
  EXPECT_THAT(said(resolve, {keyed("a", "/a/../b")}),
              ElementsAre(HasSubstr("\"..\" can never match: dot segments are resolved first; write the path that")));
  EXPECT_THAT(said(resolve, {keyed("a", "/a/%2e/b")}), ElementsAre(HasSubstr("such a path is refused; a dot segment")));
  EXPECT_THAT(said(allow, {keyed("a", "/a/..;/b")}), ElementsAre(HasSubstr("such a path is refused; a dot segment")));
  EXPECT_THAT(said(opaque, {keyed("a", "/a%2F..")}), ElementsAre(HasSubstr("such a path is refused; a dot segment")));
}

std::vector<config::RouteDocument> file_and_acl() {
  return {keyed("file", "/files/{name}", 10), keyed("acl", "/files/{name}/acl", 30).all({"admin"})};
}

TEST(RelaxedRoutes, P03_AreWarnedOfWhereAnotherGovernsThemWithAnEscapedSlash) {
  EXPECT_THAT(
      said(opaque, file_and_acl(), {scope("admin")}),
      ElementsAre(
          "policy.yaml:33:1: warning: routes[1].match.path: \"/files/sample%2Facl\" is governed by the route "
          "\"file\" at policy.yaml:10, and is \"/files/sample/acl\" to an upstream that decodes escaped "
          "slashes (paths.encoded_slash: opaque); see that the upstream leaves %2F as it is, or ask the same of "
          "both"));
  EXPECT_THAT(said(opaque, {open_route("page", "/{page}"), keyed("admin", "/admin", 30)}),
              ElementsAre(HasSubstr("\"/%2Fadmin\" is governed by the route \"page\"")));
  EXPECT_THAT(said(opaque, {open_route("page", "/a/{x}/b"), keyed("admin", "/a/b", 30)}),
              ElementsAre(HasSubstr("\"/a/%2F/b\" is governed by the route \"page\"")));
  EXPECT_THAT(said(opaque, {open_route("all", "/{rest...}"), keyed("admin", "/admin/{rest...}", 30)}), SizeIs(1));
  EXPECT_THAT(said(opaque, {open_route("named", "/a%2Fb"), keyed("admin", "/a/b", 30)}),
              ElementsAre(HasSubstr("\"/a%2Fb\" is governed by the route \"named\"")));
}

TEST(RelaxedRoutes, P05_AreWarnedOfWhereAnotherGovernsThemWithAParameter) {
  EXPECT_THAT(
      said(allow, {open_route("page", "/{page}"), keyed("admin", "/admin", 30)}),
      ElementsAre(
          "policy.yaml:33:1: warning: routes[1].match.path: \"/admin;a=b\" is governed by the route \"page\" at "
          "policy.yaml:10, and is \"/admin\" to an upstream that reads parameters after a semicolon "
          "(paths.semicolon: allow); see that the upstream takes a semicolon for content, or ask the same of "
          "both"));
}

TEST(RelaxedRoutes, AreNotWarnedOfWithoutCause) {
  const std::vector<config::ScopeDocument> scopes{scope("admin", {.implies = {"read"}}), scope("read")};
  for (const auto& paths : {opaque, allow}) {
    EXPECT_THAT(said(PathSettings{}, file_and_acl(), {scope("admin")}), IsEmpty());
    EXPECT_THAT(said(merge, file_and_acl(), {scope("admin")}), IsEmpty());
    EXPECT_THAT(said(resolve, file_and_acl(), {scope("admin")}), IsEmpty());
    // The same is asked of both, or more of the one that governs the other spelling.
    EXPECT_THAT(said(paths, {keyed("file", "/f/{name}"), keyed("acl", "/f/acl", 30)}), IsEmpty());
    EXPECT_THAT(said(paths, {keyed("file", "/f/{name}"), open_route("acl", "/f/acl", 30)}), IsEmpty());
    EXPECT_THAT(
        said(paths, {keyed("file", "/f/{name}").all({"admin"}), keyed("acl", "/f/acl", 30).all({"read"})}, scopes),
        IsEmpty());
    // Nothing governs it.
    EXPECT_THAT(said(paths, {open_route("open", "/public/{rest...}"), keyed("v1", "/v1/{rest...}", 30)}), IsEmpty());
    EXPECT_THAT(said(paths, {open_route("open", "/{x}").methods({"GET"}), keyed("a", "/a", 30).methods({"POST"})}),
                IsEmpty());
  }
  EXPECT_THAT(said(allow, file_and_acl(), {scope("admin")}), IsEmpty());
}

TEST(RelaxedRoutes, AreCountedWhereTheyAreManyRatherThanTold) {
  std::vector<config::RouteDocument> routes{open_route("page", "/{page}")};
  for (int number = 0; number < 11; ++number) {
    routes.push_back(keyed("r" + std::to_string(number), "/r" + std::to_string(number), 30 + 20 * number));
  }
  const auto lines = said(allow, routes);
  ASSERT_THAT(lines, SizeIs(9));
  EXPECT_THAT(lines.front(), HasSubstr("warning: routes: 3 more routes can be reached by another's path"));
}

TEST(RelaxedRoutes, AreStillLoadedWithAWarning) {
  auto settings = settings_with(file_and_acl(), {scope("admin")});
  settings.paths = opaque;
  const auto result = compile(settings);
  ASSERT_NE(result.policy, nullptr);
  EXPECT_EQ(result.policy->paths, opaque);
}

struct Asking {
  PathSettings paths;
  std::string raw;
  std::string organization = "org_1";
};

// The route that governs it and what comes of it: "file ok".
std::string fate(const std::vector<config::RouteDocument>& routes, const Asking& asking) {
  auto settings = settings_with(routes);
  settings.paths = asking.paths;
  const auto policy = compile(settings).policy;
  const TargetText text(asking.raw, asking.paths);
  if (policy == nullptr || text.target() == nullptr) return "refused";
  KeyAnswer answer;
  answer.state = KeyAnswer::State::valid;
  answer.principal.key_id = "key_1";
  answer.principal.organization = asking.organization;
  const Held held{};
  Caller caller;
  caller.found = Caller::Found::answered;
  caller.kind = CredentialKind::api_key;
  caller.answer = &answer;
  caller.held = &held;
  const Route* const route = policy->table.match({"", Method::get, text.target(), {}});
  const auto decision = decide(*policy, route, *text.target(), caller, 0);
  const auto* const denial = std::get_if<Denial>(&decision);
  return (route == nullptr ? "" : route->name + ' ') + std::string(denial ? row(denial->reason).code : "ok");
}

TEST(RelaxedRoutes, P03_AnEscapedSlashSeparatesNothing) {
  const std::vector<config::RouteDocument> routes{
      keyed("one", "/files/{name}"), keyed("two", "/files/{name}/{part}", 30), keyed("literal", "/files/a/b", 50),
      keyed("escaped", "/files/c%2Fd", 70)};
  EXPECT_EQ(fate(routes, {opaque, "/files/a%2fb"}), "one ok");
  EXPECT_EQ(fate(routes, {opaque, "/files/a/b"}), "literal ok");
  EXPECT_EQ(fate(routes, {opaque, "/files/c%2fd"}), "escaped ok");
  EXPECT_EQ(fate(routes, {opaque, "/files/c/d"}), "two ok");
  EXPECT_EQ(fate(routes, {opaque, "/files%2fa/b"}), "no_route");
  EXPECT_EQ(fate(routes, {{}, "/files/a%2fb"}), "refused");
}

TEST(RelaxedRoutes, P03_P05_AnOrganizationIsNamedByAWholeSegmentAlone) {
  const std::vector<config::RouteDocument> routes{keyed("org", "/orgs/{org}/x").organization("{org}")};
  const PathSettings all{true, true, true, true};
  EXPECT_EQ(fate(routes, {all, "/orgs/org_1/x"}), "org ok");
  EXPECT_EQ(fate(routes, {all, "/orgs//o%72g_1/./x"}), "org ok");
  EXPECT_EQ(fate(routes, {all, "/orgs/org_2/../org_1/x"}), "org ok");
  EXPECT_EQ(fate(routes, {all, "/orgs/org_1/../org_2/x"}), "org wrong_organization");
  EXPECT_EQ(fate(routes, {all, "/orgs/org_1%2fx/x"}), "org wrong_organization");
  EXPECT_EQ(fate(routes, {all, "/orgs/%2forg_1/x"}), "org wrong_organization");
  EXPECT_EQ(fate(routes, {all, "/orgs/org_1;a=b/x"}), "org wrong_organization");
  // No organization has a slash in its name, so no escaped one can be it.
  EXPECT_EQ(fate(routes, {all, "/orgs/a%2Fb/x", "a/b"}), "org key_service_unavailable");
}

TEST(RelaxedRoutes, P01_P04_AreFoundByWhatIsLeftOfThePath) {
  const std::vector<config::RouteDocument> routes{open_route("public", "/public/{rest...}"),
                                                  keyed("v1", "/v1/{x}", 30)};
  const PathSettings both{.merge_slashes = true, .resolve_dots = true};
  EXPECT_EQ(fate(routes, {both, "/public/../v1/a"}), "v1 ok");
  EXPECT_EQ(fate(routes, {both, "/public//..//v1//a"}), "v1 ok");
  EXPECT_EQ(fate(routes, {both, "//v1/a//"}), "v1 ok");
  EXPECT_EQ(fate(routes, {both, "/v1/a/.."}), "no_route");
}

}  // namespace
}  // namespace keygate::policy
