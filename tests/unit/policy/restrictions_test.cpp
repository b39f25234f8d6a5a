// A key that may be used from some addresses only.
#include "policy/decide.hpp"
#include "tests/unit/policy/builders.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace keygate::policy {
namespace {

class BoundKey : public ::testing::Test {
 protected:
  BoundKey() {
    Restrictions bounds;
    bounds.allowed_from = {*parse_block("203.0.113.0/24")};
    answer.state = KeyAnswer::State::valid;
    answer.principal.key_id = "key_1";
    answer.principal.restrictions = std::make_shared<const Restrictions>(std::move(bounds));
    caller.found = Caller::Found::answered;
    caller.kind = CredentialKind::api_key;
    caller.answer = &answer;
    caller.held = &held;
  }

  std::string from(const std::optional<std::string>& address) {
    caller.address = address ? std::optional(parse_block(*address)->network) : std::nullopt;
    const testing::TargetText target("/a");
    const auto decision = decide(*policy, policy->routes.front().get(), *target.target(), caller, 0);
    const auto* denial = std::get_if<Denial>(&decision);
    return std::string(row(denial == nullptr ? Reason::ok : denial->reason).code);
  }

  std::shared_ptr<const Policy> policy = testing::compiled(testing::settings_with({testing::keyed("a", "/a")}));
  KeyAnswer answer;
  Held held;
  Caller caller;
};

TEST_F(BoundKey, PassesFromWhereItMay) {
  EXPECT_EQ(from("203.0.113.9"), "ok");
  EXPECT_EQ(from("198.51.100.9"), "address_not_allowed");
  EXPECT_EQ(from("2001:db8::1"), "address_not_allowed");
}

TEST_F(BoundKey, PassesFromNowhereWhereNobodyKnowsTheAddress) { EXPECT_EQ(from(std::nullopt), "address_not_allowed"); }

TEST_F(BoundKey, IsRevokedFirst) {
  answer.state = KeyAnswer::State::revoked;
  EXPECT_EQ(from("198.51.100.9"), "revoked_key");
}

TEST_F(BoundKey, IsBoundOnlyWhereItSaysSo) {
  answer.principal.restrictions = std::make_shared<const Restrictions>();
  EXPECT_EQ(from(std::nullopt), "ok");
  answer.principal.restrictions = nullptr;
  EXPECT_EQ(from(std::nullopt), "ok");
}

}  // namespace
}  // namespace keygate::policy
