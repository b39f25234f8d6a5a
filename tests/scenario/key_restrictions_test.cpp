// Keys that may be used from some addresses only, or so often only: what their key service says of them is kept to.
#include "tests/support/fleet.hpp"
#include "tests/support/scenario.hpp"
#include "tests/support/scripted_service.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

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

// The same of keys in the embedded store.
class RestrictedStoredKey : public testing::Test {
 protected:
  RestrictedStoredKey() {
    Config config{.upstream_port = upstream.port()};
    config.more = "trusted_proxies: [127.0.0.1]\n";
    proxy.start(std::move(config));
  }
  Key create(std::vector<std::string> options) {
    options.insert(options.begin(), {"create", "--org", "org_1", "--scopes", "v1:read"});
    return made(proxy.keys(options));
  }
  Key made(const Finished& finished) {
    EXPECT_EQ(finished.status, (ExitStatus{0, 0})) << finished.errors;
    const auto object = boost::json::parse(finished.output).as_object();
    const Key key{text_of(object, "key_id"), text_of(object, "key")};
    proxy.remember(key);
    return key;
  }
  std::string outcome(const Key& key, const std::string& fields = "", std::string_view target = "/v1/x") {
    return outcome_of(ask(proxy.port(), request_to(target, key.bearer() + fields)));
  }

  RecordingUpstream upstream;
  Keygate proxy;
};

TEST_F(RestrictedStoredKey, IsUsedFromItsAddressesAloneAlsoOnceItIsRotated) {
  const Key key = create({"--allow-cidr", "203.0.113.0/24", "--allow-cidr", "2001:db8::/32"});
  const Key fresh = made(proxy.keys({"rotate", key.id, "--grace", "1h"}));
  for (const Key& one : {key, fresh}) {
    EXPECT_EQ(outcome(one, "X-Forwarded-For: 203.0.113.9\r\n"), "200 ok");
    EXPECT_EQ(outcome(one, "X-Forwarded-For: 2001:db8::9\r\n"), "200 ok");
    EXPECT_EQ(outcome(one, "X-Forwarded-For: 198.51.100.9\r\n"), "403 address_not_allowed");
    EXPECT_EQ(outcome(one), "403 address_not_allowed");
  }
}

TEST_F(RestrictedStoredKey, HasItsOwnLimitOnAllRoutesTogether) {
  const Key key = create({"--rate-limit", "2/1h"}), free = create({});
  EXPECT_EQ(outcome(key), "200 ok");
  EXPECT_EQ(outcome(key, "", "/v1/y"), "200 ok");
  EXPECT_EQ(outcome(key, "", "/v1/z"), "429 rate_limited");
  EXPECT_EQ(outcome(free), "200 ok");
}

TEST_F(RestrictedStoredKey, IsShownWithWhatRestrictsIt) {
  const Key key = create({"--allow-cidr", "10.0.0.0/8", "--rate-limit", "600/1m"});
  for (const Finished& shown : {proxy.keys({"show", key.id}), proxy.keys({"list"})}) {
    EXPECT_NE(shown.output.find(R"("allowed_cidrs":["10.0.0.0/8"],"rate_limit":{"limit":600,"window":"60s"})"),
              std::string::npos)
        << shown.output;
  }
  const Finished refused = proxy.keys({"create", "--org", "o", "--scopes", "v1:read", "--rate-limit", "600/min"});
  EXPECT_EQ(refused.status, (ExitStatus{2, 0}));
  EXPECT_NE(refused.errors.find("is not a rate such as 600/1m"), std::string::npos) << refused.errors;
}

// From the key server's store to one proxy, from there by way of Redis to another.
TEST(RestrictedKeyOfAKeyServer, IsRestrictedAtAProxyThatHasItFromRedis) {
  Fleet fleet;
  const Key bound = fleet.service.create({.restrictions = R"({"allowed_cidrs": ["203.0.113.0/24", "2001:db8::/32"]})"});
  const Key slow = fleet.service.create({.restrictions = R"({"rate_limit": {"limit": 2, "window": "1h"}})"});
  EXPECT_EQ(outcome_at(fleet.proxy(0), bound), "403 address_not_allowed");
  EXPECT_EQ(outcome_at(fleet.proxy(0), slow), "200 ok");
  for (const Key& key : {bound, slow}) {
    ASSERT_TRUE(eventually([&] { return fleet.redis.command({"EXISTS", fleet.redis_key(key)}) == "1"; }));
  }
  fleet.service_relay.cut();
  EXPECT_EQ(outcome_at(fleet.proxy(1), bound), "403 address_not_allowed");
  EXPECT_EQ(outcome_at(fleet.proxy(1), slow), "200 ok");
  EXPECT_EQ(outcome_at(fleet.proxy(2), slow), "429 rate_limited") << "counted in Redis for all of them";
}

}  // namespace
}  // namespace keygate::test
