#include "policy/principal.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keygate::policy {
namespace {

TEST(IdentityValue, H10TakesItsAlphabetAndNothingElse) {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:@|+=-";
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::string value = std::string("o") + static_cast<char>(byte);
    EXPECT_EQ(is_identity_value(value), alphabet.find(static_cast<char>(byte)) != std::string::npos) << byte;
  }
}

TEST(IdentityValue, H10HasALength) {
  EXPECT_FALSE(is_identity_value(""));
  EXPECT_TRUE(is_identity_value(std::string(128, 'a')));
  EXPECT_FALSE(is_identity_value(std::string(129, 'a')));
  EXPECT_FALSE(is_identity_value("o\r\nX-Admin: 1"));
}

Principal presentable() {
  Principal principal;
  principal.key_id = "key_1";
  return principal;
}

TEST(Principal, NeedsAKeyIdAlone) {
  EXPECT_TRUE(is_presentable(presentable()));
  EXPECT_FALSE(is_presentable(Principal{}));
}

TEST(Principal, H10IsNotPresentableWithAFieldThatIsNoHeaderValue) {
  for (const auto& field : {&Principal::key_id, &Principal::organization, &Principal::user}) {
    auto principal = presentable();
    principal.*field = "good";
    EXPECT_TRUE(is_presentable(principal));
    principal.*field = "b\xc3\xa9";
    EXPECT_FALSE(is_presentable(principal));
  }
}

TEST(Principal, C14IsNotPresentableWithTooManyScopes) {
  auto principal = presentable();
  principal.granted.assign(max_granted, "a");
  EXPECT_TRUE(is_presentable(principal));
  principal.granted.emplace_back("a");
  EXPECT_FALSE(is_presentable(principal));
}

TEST(Principal, HasWordsForHeadersAndLogs) {
  EXPECT_EQ(to_string(Environment::none), "");
  EXPECT_EQ(to_string(Environment::live), "live");
  EXPECT_EQ(to_string(Environment::test), "test");
  EXPECT_EQ(to_string(CredentialKind::none), "anonymous");
  EXPECT_EQ(to_string(CredentialKind::api_key), "api_key");
  EXPECT_EQ(to_string(CredentialKind::session), "session");
  EXPECT_EQ(to_string(CredentialKind::admin), "admin");
}

}  // namespace
}  // namespace keygate::policy
