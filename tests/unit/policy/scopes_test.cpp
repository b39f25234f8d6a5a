#include "policy/scopes.hpp"

#include "policy/policy.hpp"
#include "tests/unit/policy/builders.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keygate::policy {
namespace {

using testing::compiled;
using testing::open_route;
using testing::scope;
using testing::settings_with;

TEST(ScopeName, FollowsItsGrammar) {
  for (const auto* name : {"admin", "a", "projects:read", "a1_-:0-9_", "x:read-*", "projects:*"}) {
    EXPECT_TRUE(is_scope_name(name)) << name;
  }
  for (const auto* name :
       {"", "*", "Admin", "1a", "-a", "_a", "a:", ":a", "a:b:c", "a b", "a*", "a:B", "a.b", "a:b ", "é"}) {
    EXPECT_FALSE(is_scope_name(name)) << name;
  }
  EXPECT_TRUE(is_scope_name(std::string(128, 'a')));
  EXPECT_FALSE(is_scope_name(std::string(129, 'a')));
}

TEST(GrantName, IsAScopeOrAWildcard) {
  EXPECT_TRUE(is_grant_name("*"));
  EXPECT_TRUE(is_grant_name("projects:*"));
  EXPECT_TRUE(is_grant_name("projects:read"));
  EXPECT_FALSE(is_grant_name("**"));
  EXPECT_FALSE(is_grant_name("*:read"));
  EXPECT_FALSE(is_grant_name(""));
}

TEST(ScopeSet, CoversAndMeetsAcrossItsWholeWidth) {
  ScopeSet low;
  low.add(0);
  ScopeSet both = low;
  both.add(max_catalogue - 1);
  EXPECT_TRUE(both.covers(low));
  EXPECT_FALSE(low.covers(both));
  EXPECT_TRUE(low.meets(both));
  ScopeSet high;
  high.add(max_catalogue - 1);
  EXPECT_FALSE(low.meets(high));
  low |= high;
  EXPECT_EQ(low, both);
  EXPECT_TRUE(ScopeSet{}.empty());
  EXPECT_FALSE(low.empty());
  EXPECT_TRUE(high.covers(ScopeSet{}));
  EXPECT_FALSE(high.meets(ScopeSet{}));
}

class GrantedScopes : public ::testing::Test {
 protected:
  Held expand(const std::vector<std::string>& granted) const { return policy_->catalogue.expand(granted); }

  std::shared_ptr<const Policy> policy_ = compiled(settings_with(
      {open_route("any", "/{x...}")},
      {scope("projects:read"), scope("projects:readwrite", {.implies = {"projects:write"}}),
       scope("projects:write", {.implies = {"projects:read"}}),
       scope("projects:purge", {.restricted = true, .implies = {"billing:read"}}), scope("billing:read"),
       scope("projects"), scope("admin", {.restricted = true, .implies = {"billing:read", "projects:purge"}})}));
};

TEST_F(GrantedScopes, AreExactStrings) {
  EXPECT_EQ(expand({"projects:read"}).text, "projects:read");
  EXPECT_EQ(expand({"projects:rea"}).text, "");
  EXPECT_EQ(expand({"Projects:read"}).text, "");
  EXPECT_EQ(expand({"projects:read "}).text, "");
  EXPECT_EQ(expand({"projects"}).text, "projects");
}

TEST_F(GrantedScopes, ImplyTransitivelyAndInCatalogueOrder) {
  EXPECT_EQ(expand({"projects:readwrite"}).text, "projects:read projects:readwrite projects:write");
  EXPECT_EQ(expand({"billing:read", "projects:write"}).text, "projects:read projects:write billing:read");
}

TEST_F(GrantedScopes, C14WildcardsReachNoRestrictedScope) {
  EXPECT_EQ(expand({"*"}).text, "projects:read projects:readwrite projects:write billing:read projects");
  EXPECT_EQ(expand({"projects:*"}).text, "projects:read projects:readwrite projects:write");
  EXPECT_EQ(expand({"*", "projects:purge"}).text,
            "projects:read projects:readwrite projects:write projects:purge billing:read projects");
}

TEST_F(GrantedScopes, C14AdminImpliesWhatIsWrittenAndNoMore) {
  EXPECT_EQ(expand({"admin"}).text, "projects:purge billing:read admin");
}

TEST_F(GrantedScopes, AreKeptAsWrittenWhereTheyAreNotWhatIsHeld) {
  EXPECT_EQ(expand({"projects", "projects:read"}).grants, "");
  EXPECT_EQ(expand({"projects:write"}).grants, "projects:write");
  EXPECT_EQ(expand({"projects:read", "gone"}).grants, "projects:read gone");
  EXPECT_EQ(expand({"projects:read", "projects:readwrite", "projects:write", "projects:*"}).grants,
            "projects:read projects:readwrite projects:write projects:*");
}

TEST_F(GrantedScopes, CountWhatTheCatalogueDoesNotList) {
  const auto held = expand({"projects:read", "gone:read", "", "gone:*", "**", "admin:*", "projects:re*"});
  EXPECT_EQ(held.text, "projects:read");
  EXPECT_EQ(held.unlisted, 6U);
  EXPECT_EQ(expand({"*", "projects:*"}).unlisted, 0U);
  EXPECT_EQ(expand({}).text, "");
}

TEST(Catalogue, AWildcardBringsNoRestrictedScopeByImplicationEither) {
  std::vector<Catalogue::Scope> scopes{{"a", "", false, {}}, {"b", "", true, {}}};
  scopes[0].implied.add(0);
  scopes[0].implied.add(1);
  scopes[1].implied.add(1);
  const Catalogue catalogue(std::move(scopes));
  EXPECT_EQ(catalogue.expand(std::vector<std::string>{"*"}).text, "a");
  EXPECT_EQ(catalogue.expand(std::vector<std::string>{"a"}).text, "a b");
}

TEST(Catalogue, FindsByExactName) {
  const Catalogue catalogue({{"a:b", "", false, {}}, {"a:c", "", false, {}}});
  EXPECT_EQ(catalogue.find("a:c"), 1U);
  EXPECT_EQ(catalogue.find("a:"), std::nullopt);
  EXPECT_EQ(catalogue.find("A:C"), std::nullopt);
}

}  // namespace
}  // namespace keygate::policy
