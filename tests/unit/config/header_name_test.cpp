#include "config/header_name.hpp"

#include <gtest/gtest.h>

namespace keygate::config {
namespace {

TEST(HeaderName, FoldsAsUpstreamsMayFold) {
  EXPECT_EQ(folded_header_name("X_Org.Id"), "x-org-id");
  EXPECT_EQ(folded_header_name("X-ORG-ID"), "x-org-id");
}

TEST(HeaderName, IsAToken) {
  EXPECT_TRUE(is_token("X-Org-Id"));
  EXPECT_TRUE(is_token("x!#$%&'*+.^_`|~9"));
  for (const char* name : {"", "a b", "a:b", "a\r\nb", "h\xc3\xa9", "a(b)"}) EXPECT_FALSE(is_token(name)) << name;
}

TEST(HeaderName, NothingThatFramesOrForwardsCarriesACredential) {
  for (const char* name : {"Host",
                           "content-length",
                           "Transfer-Encoding",
                           "transfer_encoding",
                           "CONNECTION",
                           "Cookie",
                           "te",
                           "Trailer",
                           "Upgrade",
                           "keep-alive",
                           "proxy-connection",
                           "Expect",
                           "Via",
                           "Forwarded",
                           "X-Forwarded-For",
                           "X_Forwarded_Anything",
                           "X-Real-IP",
                           "X-Original-URL",
                           "X-Rewrite-URL",
                           "X-HTTP-Method-Override",
                           "X-Request-Id",
                           "X-Keygate-Shadow",
                           "Authorization",
                           "a b"}) {
    EXPECT_TRUE(std::holds_alternative<Fault>(parse_credential_header(name))) << name;
    EXPECT_TRUE(std::holds_alternative<Fault>(parse_identity_header(name))) << name;
  }
}

TEST(HeaderName, OfACredentialIsInLowerCaseAndOfAnIdentityAsWritten) {
  EXPECT_EQ(std::get<std::string>(parse_credential_header("X-Api-Key")), "x-api-key");
  EXPECT_EQ(std::get<std::string>(parse_identity_header("X-Org-Id")), "X-Org-Id");
}

}  // namespace
}  // namespace keygate::config
