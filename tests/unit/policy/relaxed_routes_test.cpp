// Routes under `paths`: which literals they may have, what a path is that a route governs, and which readings of it are
// looked at besides.
#include "policy/decide.hpp"
#include "policy/readings.hpp"
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

struct Asking {
  PathSettings paths;
  std::string raw;
  std::string organization = "org_1";
};

// The route that governs it and what comes of it: "file ok", or "file read as /files/a/acl of acl".
std::string fate(const std::vector<config::RouteDocument>& routes, const Asking& asking,
                 std::vector<config::ScopeDocument> scopes = {}) {
  auto settings = settings_with(routes, std::move(scopes));
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
  if (route != nullptr) {
    if (const auto reading = stricter_reading(*policy, *route, {"", Method::get, text.target(), {}})) {
      return route->name + " read as " + reading->path + " of " + (reading->route ? reading->route->name : "nobody");
    }
  }
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

TEST(RelaxedRoutes, P03_NobodyPassesWhereAStricterRouteGovernsThePathWithItsSlashesDecoded) {
  const auto scopes = std::vector{scope("admin")};
  const std::vector<config::RouteDocument> files{keyed("file", "/files/{name}"),
                                                 keyed("acl", "/files/{name}/acl", 30).all({"admin"})};
  EXPECT_EQ(fate(files, {opaque, "/files/a%2Facl"}, scopes), "file read as /files/a/acl of acl");
  EXPECT_EQ(fate(files, {opaque, "/files/a%2Fb"}, scopes), "file ok");
  const std::vector<config::RouteDocument> page{open_route("page", "/{page}"), keyed("admin", "/admin", 30)};
  EXPECT_EQ(fate(page, {opaque, "/%2Fadmin"}), "page read as /admin of admin");
  EXPECT_EQ(fate(page, {opaque, "/%2F%2Fadmin%2F"}), "page read as /admin/ of admin");
  // A literal of the one where the other has a parameter, and several slashes at once.
  const std::vector<config::RouteDocument> status{open_route("status", "/{service}/status"),
                                                  keyed("admin", "/admin/{tenant}/{op}", 30)};
  EXPECT_EQ(fate(status, {opaque, "/admin%2Facme/status"}), "status read as /admin/acme/status of admin");
  const std::vector<config::RouteDocument> items{open_route("item", "/{t}/items/{id}"),
                                                 keyed("keys", "/{t}/{env}/items/{id}/keys", 30)};
  EXPECT_EQ(fate(items, {opaque, "/acme%2Fprod/items/7%2Fkeys"}), "item read as /acme/prod/items/7/keys of keys");
}

TEST(RelaxedRoutes, P05_NobodyPassesWhereAStricterRouteGovernsThePathWithoutItsParameters) {
  const std::vector<config::RouteDocument> page{open_route("page", "/{page}"), keyed("admin", "/admin", 30)};
  EXPECT_EQ(fate(page, {allow, "/admin;x"}), "page read as /admin of admin");
  EXPECT_EQ(fate(page, {allow, "/map;x"}), "page ok");
  const std::vector<config::RouteDocument> rotate{open_route("page", "/{a}/{b}/rotate;v=1"),
                                                  keyed("rotate", "/keys/{id}/rotate", 30)};
  EXPECT_EQ(fate(rotate, {allow, "/keys;/7/rotate;v=1"}), "page read as /keys/7/rotate of rotate");
}

TEST(RelaxedRoutes, P03_P05_BothOrdersOfReadingAreLookedAt) {
  const PathSettings both{.opaque_slashes = true, .allow_semicolons = true};
  const std::vector<config::RouteDocument> deep{open_route("page", "/{page}"), keyed("deep", "/a/c", 30)};
  EXPECT_EQ(fate(deep, {both, "/a;b%2Fc"}), "page read as /a/c of deep");
  EXPECT_EQ(fate(deep, {both, "/a%2Fc;d"}), "page read as /a/c of deep");
  const std::vector<config::RouteDocument> flat{open_route("page", "/{page}"), keyed("flat", "/a", 30)};
  EXPECT_EQ(fate(flat, {both, "/a;b%2Fc"}), "page read as /a of flat");
}

TEST(RelaxedRoutes, P03_TheSegmentsThatARouteReadsByTheirPlaceStayThere) {
  const std::vector<config::RouteDocument> orgs{
      keyed("org", "/api/{version}/orgs/{org}/{rest...}").organization("{org}")};
  EXPECT_EQ(fate(orgs, {opaque, "/api/v1%2Forgs%2Forg_2%2Fsecrets/orgs/org_1/x"}),
            "org read as /api/v1/orgs/org_2/secrets/orgs/org_1/x of org");
  EXPECT_EQ(fate(orgs, {opaque, "/api/v1/orgs/org_1/a%2Fb"}), "org ok");
  EXPECT_EQ(fate(orgs, {opaque, "/api/v1/orgs/org_1%2Fx/b"}), "org wrong_organization");
  const std::vector<config::RouteDocument> two{keyed("two", "/t/{org}/{id}").organization("{org}"),
                                               keyed("any", "/{v}/{org}", 30).organization("{org}")};
  EXPECT_EQ(fate(two, {opaque, "/t%2Forg_2/org_1"}), "any read as /t/org_2/org_1 of any");
  const std::vector<config::RouteDocument> projects{
      keyed("project", "/{v}/projects/{project}/{rest...}").set_header("X-Project", "{project}")};
  EXPECT_EQ(fate(projects, {opaque, "/v1%2Fprojects%2Fp2%2Fx/projects/p1/y"}),
            "project read as /v1/projects/p2/x/projects/p1/y of project");
  EXPECT_EQ(fate(projects, {opaque, "/v1/projects/p1/y%2Fz"}), "project ok");
}

TEST(RelaxedRoutes, ThatAskNoMoreOfAReadingLetItPass) {
  const auto scopes = std::vector{scope("admin", {.implies = {"read"}}), scope("read")};
  for (const auto& [paths, path] : {std::pair{opaque, "/f/%2Facl"}, std::pair{allow, "/f/acl;x"}}) {
    EXPECT_EQ(fate({keyed("file", "/f/{name}"), keyed("acl", "/f/acl", 30)}, {paths, path}), "file ok");
    EXPECT_EQ(fate({keyed("file", "/f/{name}"), open_route("acl", "/f/acl", 30)}, {paths, path}), "file ok");
    EXPECT_EQ(fate({open_route("file", "/f/{name}"), keyed("acl", "/f/acl", 30)}, {paths, path}),
              "file read as /f/acl of acl");
    EXPECT_EQ(fate({keyed("file", "/f/{name}").all({"admin"}), keyed("acl", "/f/acl", 30).all({"read"})}, {paths, path},
                   scopes),
              "file insufficient_scope");
    EXPECT_EQ(fate({keyed("file", "/f/{name}").all({"read"}), keyed("acl", "/f/acl", 30).all({"admin"})}, {paths, path},
                   scopes),
              "file read as /f/acl of acl");
  }
}

}  // namespace
}  // namespace keygate::policy
