// A route in shadow mode, as a client, an upstream and an operator see it.
#include "tests/support/scenario.hpp"
#include "tests/support/shipped_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <ctime>
#include <string>

namespace keygate::test {
namespace {

using ::testing::HasSubstr;

// The day `days` from now, as `until` has it.
std::string day_in(int days) {
  const std::time_t time = std::time(nullptr) + static_cast<std::time_t>(days) * 86'400;
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 11> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts);
  return text.data();
}

std::string policy_until(const std::string& date) {
  return "scopes: {\"v1:read\": Read, admin: Administrate}\n"
         "routes:\n"
         "  - name: v1\n"
         "    match: {path: \"/v1/{item}\"}\n"
         "    require: {scopes: \"v1:read\"}\n"
         "    mode: shadow\n"
         "    until: " +
         date +
         "\n"
         "  - {name: admin, match: {path: /admin}, require: {scopes: admin}}\n";
}

class ShadowMode : public Scenario {
 protected:
  std::string shadow_code_of(std::string_view path) { return text_of(keygate.wait_for_log_of(path), "shadow_code"); }
};

TEST_F(ShadowMode, LetsThroughAndTells) {
  start({.policy = policy_until(day_in(20))});
  EXPECT_THAT(keygate.errors(), HasSubstr("the route is open until " + day_in(20)));
  const Request nobody = expect_granted(request_to("/v1/a", "X-Keygate-Shadow: evil\r\nX-Org-Id: evil\r\n"));
  EXPECT_EQ(nobody.fields["x-keygate-shadow"], "missing_credential");
  EXPECT_EQ(nobody.fields["x-auth-method"], "anonymous");
  EXPECT_FALSE(nobody.fields.has("x-org-id"));
  EXPECT_EQ(shadow_code_of("/v1/a"), "missing_credential");

  const Request lacking = expect_granted(request_to("/v1/b", ka.bearer()));
  EXPECT_EQ(lacking.fields["x-keygate-shadow"], "insufficient_scope");
  EXPECT_EQ(lacking.fields["x-key-id"], ka.id);
  EXPECT_FALSE(lacking.fields.has("authorization"));
  const auto line = keygate.wait_for_log_of("/v1/b");
  EXPECT_EQ(text_of(line, "shadow_code"), "insufficient_scope");
  EXPECT_EQ(text_of(line, "code"), "ok");

  const Request revoked = expect_granted(request_to("/v1/c", kr.bearer()));
  EXPECT_EQ(revoked.fields["x-keygate-shadow"], "revoked_key");
  EXPECT_FALSE(revoked.fields.has("x-key-id"));
  EXPECT_FALSE(revoked.fields.has("x-org-id"));

  const Request fine = expect_granted(request_to("/v1/d", k1.bearer()));
  EXPECT_FALSE(fine.fields.has("x-keygate-shadow"));
  EXPECT_EQ(shadow_code_of("/v1/d"), "");
}

TEST_F(ShadowMode, StillRefusesWhatIsNotTheRoutes) {
  start({.policy = policy_until(day_in(1))});
  expect_denied(request_to("/admin"), {401, "missing_credential", Ending::any});
  expect_denied(request_to("/none"), {403, "no_route", Ending::any});
  expect_denied(request_to("/v1/a/../b"), {400, "ambiguous_path", Ending::any});
  expect_denied(request_to("/v1/a", k1.bearer() + "x-api-key: " + ka.text + "\r\n"),
                {400, "ambiguous_credential", Ending::any});
}

TEST_F(ShadowMode, IsOverOnItsDay) {
  start({.policy = policy_until(day_in(0))});
  EXPECT_THAT(keygate.errors(), HasSubstr("shadow mode is over, and the route refuses again"));
  expect_denied(request_to("/v1/a"), {401, "missing_credential", Ending::any});
  EXPECT_EQ(expect_granted(request_to("/v1/a", k1.bearer())).fields["x-org-id"], "org_1");
}

TEST_F(ShadowMode, IsExplainedAndTested) {
  start({.policy = policy_until(day_in(20))});
  const Finished told =
      run({{keygate_binary(), "explain", "-c", keygate.config_file(), "GET", "/v1/a", "--anonymous"}, {}, "", ""});
  EXPECT_EQ(told.status.code, 0) << told.errors;
  EXPECT_THAT(told.output,
              HasSubstr("by shadow mode alone, until " + day_in(20) + ": then it is 401 missing_credential"));
  const std::string cases = keygate.directory().write(
      "cases.yaml",
      "cases:\n"
      "  - {request: GET /v1/a, expect: {code: ok, headers: {X-Keygate-Shadow: missing_credential, X-Org-Id: null}}}\n"
      "  - {request: GET /v1/a, key: revoked, expect: {headers: {X-Keygate-Shadow: revoked_key}}}\n"
      "  - {request: GET /v1/a, key: unavailable, expect: {status: 503, code: key_service_unavailable}}\n"
      "  - {request: GET /v1/a, key: {scopes: v1:read}, expect: {headers: {X-Keygate-Shadow: null}}}\n");
  const Finished tested = run({{keygate_binary(), "test", "-c", keygate.config_file(), cases}, {}, "", ""});
  EXPECT_EQ(tested.output, "4 cases, all as expected\n") << tested.errors;
}

}  // namespace
}  // namespace keygate::test
