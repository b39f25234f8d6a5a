#include "app/scope_choice.hpp"

#include <gmock/gmock.h>

#include <initializer_list>

namespace keygate::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// a, b, c, d; admin implies a and b; secret is restricted.
policy::Catalogue catalogue() {
  std::vector<policy::Catalogue::Scope> scopes;
  for (const char* name : {"secret", "a", "b", "c", "d", "admin"}) {
    policy::Catalogue::Scope scope;
    scope.name = name;
    scope.implied.add(scopes.size());
    scopes.push_back(std::move(scope));
  }
  scopes[0].restricted = true;
  scopes[5].implied.add(1);
  scopes[5].implied.add(2);
  return policy::Catalogue(std::move(scopes));
}

policy::ScopeSet set_of(std::initializer_list<const char*> names) {
  policy::ScopeSet set;
  for (const char* name : names) set.add(*catalogue().find(name));
  return set;
}

std::vector<std::string> smallest(const std::vector<RouteScopes>& routes) {
  return smallest_scopes(catalogue(), routes);
}

TEST(ScopeChoice, NamesWhatAllRoutesAskForOnce) {
  EXPECT_THAT(smallest({{set_of({"c"}), {}}, {set_of({"a", "c"}), {}}}), ElementsAre("a", "c"));
}

TEST(ScopeChoice, NamesNothingWhereNothingIsAskedFor) {
  EXPECT_THAT(smallest({}), IsEmpty());
  EXPECT_THAT(smallest({{{}, {}}}), IsEmpty());
}

TEST(ScopeChoice, LeavesOutWhatAnotherImplies) {
  EXPECT_THAT(smallest({{set_of({"a"}), {}}, {set_of({"admin"}), {}}}), ElementsAre("admin"));
}

TEST(ScopeChoice, NeverNamesMoreThanWasAskedFor) {
  EXPECT_THAT(smallest({{set_of({"a"}), {}}, {set_of({"b"}), {}}}), ElementsAre("a", "b")) << "and not admin";
}

TEST(ScopeChoice, TakesOneScopeForSeveralChoices) {
  EXPECT_THAT(smallest({{{}, set_of({"a", "c"})}, {{}, set_of({"b", "c"})}, {{}, set_of({"c", "d"})}}),
              ElementsAre("c"));
}

TEST(ScopeChoice, TakesNothingForAChoiceThatIsMetAnyway) {
  EXPECT_THAT(smallest({{set_of({"d"}), set_of({"a", "d"})}}), ElementsAre("d"));
}

TEST(ScopeChoice, TakesRestrictedScopesLast) {
  EXPECT_THAT(smallest({{{}, set_of({"secret", "d"})}}), ElementsAre("d"));
}

TEST(ScopeChoice, ManyCandidatesAreServedToo) {
  std::vector<policy::Catalogue::Scope> scopes(40);
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    scopes[i].name = "s" + std::to_string(i);
    scopes[i].implied.add(i);
  }
  const policy::Catalogue many(std::move(scopes));
  std::vector<RouteScopes> routes(20);
  for (std::size_t i = 0; i < routes.size(); ++i) {
    routes[i].any.add(i);
    routes[i].any.add(39);
  }
  EXPECT_THAT(smallest_scopes(many, routes), ElementsAre("s39"));
}

}  // namespace
}  // namespace keygate::app
