#include "policy/reserved_names.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

namespace keygate::policy {
namespace {

ReservedNames default_names() { return {config::IdentityHeaderSettings{}, config::CredentialSettings{}}; }

const std::vector<std::string> letters_between{"-", "_", ".", "~", "!", "+"};

std::string with_separator(std::string name, const std::string& separator) {
  std::string result;
  for (const char c : name) result += c == '-' ? separator : std::string(1, c);
  return result;
}

std::string upper(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

struct Row {
  std::string name;
  NameClass expected;
};

class HeaderNames : public ::testing::TestWithParam<Row> {};

TEST_P(HeaderNames, H02AreWhatEverySpellingFoldsTo) {
  const auto names = default_names();
  for (const auto& separator : letters_between) {
    const auto spelled = with_separator(GetParam().name, separator);
    EXPECT_EQ(names.classify(spelled), GetParam().expected) << spelled;
    EXPECT_EQ(names.classify(upper(spelled)), GetParam().expected) << upper(spelled);
  }
}

using enum NameClass;

INSTANTIATE_TEST_SUITE_P(
    Defaults, HeaderNames,
    ::testing::Values(
        Row{"x-org-id", identity}, Row{"x-key-id", identity}, Row{"x-user-id", identity}, Row{"x-scopes", identity},
        Row{"x-environment", identity}, Row{"x-auth-method", identity}, Row{"x-keygate-shadow", identity},
        Row{"x-keygate-anything", identity},                                       // H-01
        Row{"authorization", credential}, Row{"x-api-key", credential},            // H-12
        Row{"x-forwarded-for", forwarding}, Row{"x-forwarded-proto", forwarding},  // H-06
        Row{"x-forwarded-port", forwarding}, Row{"x-forwarded", forwarding}, Row{"forwarded", forwarding},
        Row{"x-real-ip", forwarding}, Row{"true-client-ip", forwarding}, Row{"cf-connecting-ip", forwarding},  // H-07
        Row{"x-client-ip", forwarding}, Row{"x-cluster-client-ip", forwarding}, Row{"x-request-id", forwarding},
        Row{"x-original-url", forwarding}, Row{"x-original-uri", forwarding}, Row{"x-rewrite-url", forwarding},  // P-18
        Row{"x-forwarded-uri", forwarding}, Row{"x-forwarded-prefix", forwarding}, Row{"x-forwarded-path", forwarding},
        Row{"x-envoy-original-path", forwarding}, Row{"x-http-destinationurl", forwarding},
        Row{"x-http-method-override", forwarding}, Row{"x-http-method", forwarding},  // P-19
        Row{"x-method-override", forwarding}, Row{"host", framing}, Row{"content-length", framing},
        Row{"transfer-encoding", framing}, Row{"connection", framing}, Row{"keep-alive", framing},
        Row{"proxy-connection", framing}, Row{"te", framing}, Row{"trailer", framing}, Row{"upgrade", framing},
        Row{"http2-settings", framing}, Row{"proxy-authorization", framing}, Row{"proxy-authenticate", framing},
        Row{"expect", framing}, Row{"proxy", framing}, Row{"accept", plain}, Row{"cookie", plain}, Row{"via", plain},
        Row{"content-type", plain}, Row{"user-agent", plain}, Row{"x-org", plain}, Row{"x-org-id-2", plain},
        Row{"xx-org-id", plain}, Row{"x-keygat", plain}, Row{"x-forwarde", plain}, Row{"x-requested-with", plain},
        Row{"traceparent", plain}, Row{"max-forwards", plain}, Row{"if-none-match", plain}, Row{"x", plain},
        Row{"hos", plain}, Row{"hosts", plain}),
    [](const auto& row) {
      auto name = row.param.name;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

TEST(ReservedNames, ClassifyEveryNameTheyList) {
  const auto names = default_names();
  const auto all = names.all();
  EXPECT_GT(all.size(), 50U);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  for (auto name : all) {
    if (name.ends_with('*')) name.back() = 'z';
    EXPECT_NE(names.classify(name), plain) << name;
    EXPECT_NE(names.classify(upper(with_separator(name, "_"))), plain) << name;
  }
}

TEST(ReservedNames, FollowTheConfiguration) {
  config::IdentityHeaderSettings identity_headers;
  identity_headers.organization = "X-Tenant";
  identity_headers.user = "";
  identity_headers.key = "X-Forwarded-User";
  identity_headers.environment = "X-Real-Ip";
  config::CredentialSettings credentials;
  credentials.sources = {{config::CredentialSource::Kind::header, "x-token"},
                         {config::CredentialSource::Kind::header, "x-client-ip"},
                         {config::CredentialSource::Kind::header, "x-keygate-token"},
                         {config::CredentialSource::Kind::query, "api_key"},
                         {config::CredentialSource::Kind::cookie, "session"}};
  const ReservedNames names(identity_headers, credentials);
  EXPECT_EQ(names.classify("x_tenant"), identity);
  EXPECT_EQ(names.classify("X-Org-Id"), plain);
  EXPECT_EQ(names.classify("X-User-Id"), plain);
  EXPECT_EQ(names.classify("X-Token"), credential);
  EXPECT_EQ(names.classify("Authorization"), plain);  // bearer is no source here: it is the upstream's own
  EXPECT_EQ(names.classify("X-Api-Key"), plain);
  EXPECT_EQ(names.classify("api_key"), plain);
  EXPECT_EQ(names.classify("session"), plain);
  // Of two classes the stricter: what is ours to say is dropped even from a trusted proxy.
  EXPECT_EQ(names.classify("X-Forwarded-User"), identity);
  EXPECT_EQ(names.classify("X-Real-Ip"), identity);
  EXPECT_EQ(names.classify("X-Client-Ip"), credential);
  EXPECT_EQ(names.classify("X-Keygate-Token"), identity);
}

TEST(ReservedNames, TakeAnyLength) {
  const auto names = default_names();
  EXPECT_EQ(names.classify(""), plain);
  EXPECT_EQ(names.classify(std::string(70'000, 'x')), plain);
  EXPECT_EQ(names.classify("x-forwarded-" + std::string(70'000, 'x')), forwarding);
}

TEST(Fold, IsLowerCaseLettersDigitsAndHyphens) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool is_kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool is_upper = c >= 'A' && c <= 'Z';
    EXPECT_EQ(fold(c), is_kept ? c : is_upper ? static_cast<char>(c + 32) : '-') << byte;
  }
  EXPECT_TRUE(folds_equal("X_Org.ID", "x-org-id"));
  EXPECT_FALSE(folds_equal("X_Org.ID ", "x-org-id"));
}

}  // namespace
}  // namespace keygate::policy
