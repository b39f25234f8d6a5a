// Keys that may be used from some addresses only, or so often only: what their key service says of them is kept to.
#include "tests/support/fleet.hpp"
#include "tests/support/scenario.hpp"
#include "tests/support/scripted_service.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keygate::test {
namespace {

// What the service says of a key follows from what stands in it.
std::string answer_to(const std::string& key) {
  std::string answer = good_answer("key_" + key.substr(key.size() - 4));
  answer.pop_back();
  if (key.find("bound") != std::string::npos) answer += R"(,"allowed_cidrs":["203.0.113.0/24","2001:db8::/32"])";
  if (key.find("slow") != std::string::npos) answer += R"(,"rate_limit":{"limit":2,"window":"1h"})";
  if (key.find("broken") != std::string::npos) answer += R"(,"allowed_cidrs":["203.0.113.1/24"])";
  return answer + "}";
}

class RestrictedKey : public testing::Test {
 protected:
  RestrictedKey() {
    Config config{.upstream_port = upstream.port()};
    config.more = "trusted_proxies: [127.0.0.1]\n";
    config.resolution = "{service: {url: \"http://127.0.0.1:" + std::to_string(service.port()) + "/verify\"}}";
    proxy.start(std::move(config));
  }
  std::string outcome(const std::string& key, const std::string& fields = "", std::string_view target = "/v1/x") {
    return outcome_of(ask(proxy.port(), request_to(target, "Authorization: Bearer " + key + "\r\n" + fields)));
  }

  ScriptedService service{answer_to};
  RecordingUpstream upstream;
  Keygate proxy;
};

TEST_F(RestrictedKey, IsUsedFromItsAddressesAlone) {
  const std::string key = "kg_bound_aaaaaaaaaaaaaaaaaaaaaaaaaaaa";
  for (int round = 0; round < 2; ++round) {  // from the service, and from memory
    EXPECT_EQ(outcome(key, "X-Forwarded-For: 203.0.113.9\r\n"), "200 ok");
    EXPECT_EQ(outcome(key, "X-Forwarded-For: 2001:db8::9\r\n"), "200 ok");
    EXPECT_EQ(outcome(key, "X-Forwarded-For: 198.51.100.9\r\n"), "403 address_not_allowed");
    EXPECT_EQ(outcome(key, "X-Forwarded-For: 203.0.113.9, 198.51.100.9\r\n"), "403 address_not_allowed");
    EXPECT_EQ(outcome(key), "403 address_not_allowed");
  }
  EXPECT_EQ(service.calls(), 1U);
}

TEST_F(RestrictedKey, HasItsOwnLimitOnAllRoutesTogether) {
  const std::string key = "kg_slow_aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", other = "kg_slow_aaaaaaaaaaaaaaaaaaaaaaaaabbbb";
  EXPECT_EQ(outcome(key), "200 ok");
  EXPECT_EQ(outcome(key, "", "/v1/y"), "200 ok");
  EXPECT_EQ(outcome(key, "", "/v1/z"), "429 rate_limited");
  EXPECT_EQ(outcome(other), "200 ok");
  EXPECT_EQ(outcome("kg_free_aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "200 ok");
}

TEST_F(RestrictedKey, WithARestrictionThatIsNoneIsNotLetThrough) {
  EXPECT_EQ(outcome("kg_broken_aaaaaaaaaaaaaaaaaaaaaaaaaaa"), "503 key_service_unavailable");
  EXPECT_EQ(upstream.bytes(), "");
}

}  // namespace
}  // namespace keygate::test
