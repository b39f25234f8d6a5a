#include "policy/reason.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace keygate::policy {
namespace {

// The table that docs/errors.md has: which codes go with which status.
const std::map<std::string, int> contract{{"ok", 200},
                                          {"bad_request", 400},
                                          {"ambiguous_path", 400},
                                          {"ambiguous_credential", 400},
                                          {"missing_credential", 401},
                                          {"malformed_key", 401},
                                          {"invalid_key", 401},
                                          {"expired_key", 401},
                                          {"revoked_key", 401},
                                          {"disabled_key", 401},
                                          {"insufficient_scope", 403},
                                          {"wrong_organization", 403},
                                          {"wrong_environment", 403},
                                          {"credential_not_accepted", 403},
                                          {"certificate_not_accepted", 403},
                                          {"address_not_allowed", 403},
                                          {"cross_site", 403},
                                          {"invalid_session", 401},
                                          {"no_route", 403},
                                          {"method_not_allowed", 405},
                                          {"request_timeout", 408},
                                          {"body_too_large", 413},
                                          {"target_too_long", 414},
                                          {"expectation_failed", 417},
                                          {"misdirected_request", 421},
                                          {"upgrade_required", 426},
                                          {"header_too_large", 431},
                                          {"rate_limited", 429},
                                          {"too_many_unknown_keys", 429},
                                          {"not_implemented", 501},
                                          {"version_not_supported", 505},
                                          {"loop_detected", 508},
                                          {"upstream_unreachable", 502},
                                          {"upstream_protocol_error", 502},
                                          {"key_service_unavailable", 503},
                                          {"no_healthy_upstream", 503},
                                          {"overloaded", 503},
                                          {"draining", 503},
                                          {"upstream_timeout", 504},
                                          {"client_closed", 499},
                                          {"upstream_truncated", 0},
                                          {"tunnel_timeout", 0}};

TEST(Reasons, HaveTheContractsCodesAndStatuses) {
  std::set<std::string> seen;
  for (const auto& row : reasons()) {
    const std::string code(row.code);
    seen.insert(code);
    if (row.reason == Reason::no_route_as_404) {
      EXPECT_EQ(code, "no_route");
      EXPECT_EQ(row.status, 404);
      continue;
    }
    ASSERT_TRUE(contract.contains(code)) << code;
    EXPECT_EQ(row.status, contract.at(code)) << code;
  }
  EXPECT_EQ(seen.size(), contract.size());
}

TEST(Reasons, AreFoundByTheirEnumerator) {
  for (const auto& entry : reasons()) EXPECT_EQ(row(entry.reason).reason, entry.reason) << entry.code;
  EXPECT_EQ(row(Reason::insufficient_scope).code, "insufficient_scope");
  EXPECT_EQ(row(Reason::upstream_truncated).status, 0);
}

TEST(Reasons, SpeakOneWholeSentenceThatIsSafeInJsonAndHeaders) {
  for (const auto& row : reasons()) {
    ASSERT_FALSE(row.detail.empty()) << row.code;
    EXPECT_TRUE(row.detail.ends_with('.')) << row.code;
    EXPECT_FALSE(row.title.empty()) << row.code;
    for (const char c : row.detail) EXPECT_TRUE(c >= 0x20 && c < 0x7F) << row.code;
  }
}

TEST(Reasons, ShareOneTitleAStatus) {
  std::map<int, std::string_view> titles;
  for (const auto& row : reasons())
    EXPECT_EQ(titles.emplace(row.status, row.title).first->second, row.title) << row.code;
}

TEST(Reasons, SayWhenToTryAgainExactlyWhereThatHelps) {
  for (const auto& row : reasons()) EXPECT_EQ(row.retry_after > 0, row.status == 503 || row.status == 429) << row.code;
}

TEST(Reasons, BlameTheClientForWhatItCanMend) {
  for (const auto& row : reasons()) {
    if (row.status < 400 || row.status >= 500) continue;
    EXPECT_EQ(row.fault, Fault::client) << row.code;
  }
  EXPECT_EQ(row(Reason::key_service_unavailable).fault, Fault::dependency);
  EXPECT_EQ(row(Reason::upstream_timeout).fault, Fault::upstream);
}

TEST(StatusPhrase, ComesFromTheTable) {
  EXPECT_EQ(phrase(200), "OK");
  EXPECT_EQ(phrase(403), "Forbidden");
  EXPECT_EQ(phrase(404), "Not Found");
  EXPECT_EQ(phrase(418), "Unknown");
}

}  // namespace
}  // namespace keygate::policy
