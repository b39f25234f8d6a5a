#include "proxy/limiting.hpp"

#include "proxy/reply.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace keygate::proxy {
namespace {

using namespace std::chrono_literals;

class Limiting : public testing::Test {
 protected:
  Limiting() { route.name = "a"; }

  keys::KeyDigest counter_of(const policy::CountedBy& per, const policy::Principal* principal,
                             const std::string& address = "192.0.2.1", std::chrono::seconds window = 60s) {
    route.limits = {{10, window, per}};
    return limit_uses({route, principal, asker_of(boost::asio::ip::make_address(address))}, hash).front().counter;
  }
  static policy::Principal key(const std::string& id, const std::string& organization = "org_1") {
    policy::Principal principal;
    principal.key_id = id;
    principal.organization = organization;
    return principal;
  }

  policy::Route route;
  keys::Hasher hash;
  const policy::CountedBy per_key{.key = true}, per_organization{.organization = true}, per_address{.address = true},
      per_both{.key = true, .address = true};
};

TEST_F(Limiting, KeysAreCountedApart) {
  const auto a = key("key_1"), b = key("key_2");
  EXPECT_EQ(counter_of(per_key, &a), counter_of(per_key, &a, "192.0.2.2"));
  EXPECT_NE(counter_of(per_key, &a), counter_of(per_key, &b));
  EXPECT_EQ(counter_of(per_organization, &a), counter_of(per_organization, &b));
  EXPECT_EQ(counter_of(per_address, &a), counter_of(per_address, &b));
  EXPECT_NE(counter_of(per_both, &a), counter_of(per_both, &a, "192.0.2.2"));
  EXPECT_NE(counter_of(per_both, &a), counter_of(per_both, &b));
}

TEST_F(Limiting, SoAreRoutesAndWindows) {
  const auto a = key("key_1");
  const auto before = counter_of(per_key, &a);
  EXPECT_NE(before, counter_of(per_key, &a, "192.0.2.1", 3600s));
  route.name = "b";
  EXPECT_NE(before, counter_of(per_key, &a));
}

TEST_F(Limiting, ALimitThatIsChangedGoesOnWithItsCount) {
  const auto a = key("key_1");
  const auto before = counter_of(per_key, &a);
  route.limits = {{20, 60s, per_key}};
  EXPECT_EQ(limit_uses({route, &a, {}}, hash).front().counter, before);
}

TEST_F(Limiting, H08_AnIpv6ClientIsItsNetwork) {
  EXPECT_EQ(counter_of(per_address, nullptr, "2001:db8:0:1::1"),
            counter_of(per_address, nullptr, "2001:db8:0:1:ff::9"));
  EXPECT_NE(counter_of(per_address, nullptr, "2001:db8:0:1::1"), counter_of(per_address, nullptr, "2001:db8:0:2::1"));
  EXPECT_EQ(counter_of(per_address, nullptr, "::ffff:192.0.2.1"), counter_of(per_address, nullptr, "192.0.2.1"));
}

TEST_F(Limiting, WhoHasNoKeyIsCountedByWhatThereIs) {
  policy::Principal session;
  session.user = "user_1";
  EXPECT_EQ(counter_of(per_key, &session), counter_of(per_key, &session, "192.0.2.2")) << "by the user";
  EXPECT_EQ(counter_of(per_organization, &session), counter_of(per_organization, &session, "192.0.2.2"));
  EXPECT_NE(counter_of(per_key, nullptr), counter_of(per_key, nullptr, "192.0.2.2")) << "by the address";
  EXPECT_NE(counter_of(per_organization, nullptr), counter_of(per_organization, nullptr, "192.0.2.2"));
}

TEST_F(Limiting, NoNameMeetsAnother) {
  const auto one = key("a1:b"), other = key("a", "1:b"), user_like = key("user_1");
  policy::Principal session;
  session.user = "user_1";
  EXPECT_NE(counter_of(per_key, &one), counter_of(per_key, &other));
  EXPECT_NE(counter_of(per_key, &user_like), counter_of(per_key, &session));
}

TEST_F(Limiting, AKeysOwnLimitIsOneOverAllRoutes) {
  auto a = key("key_1");
  policy::Restrictions bounds;
  bounds.rate_limit = policy::RateLimit{5, 60s, per_key};
  a.restrictions = std::make_shared<const policy::Restrictions>(bounds);
  const auto here = limit_uses({route, &a, {}}, hash);
  ASSERT_EQ(here.size(), 1U);
  EXPECT_EQ(here.front().limit.limit, 5U);
  route.name = "b";
  EXPECT_EQ(limit_uses({route, &a, {}}, hash).front().counter, here.front().counter);
}

TEST(RateLimitedReply, A09_SaysWhenToTryAgain) {
  ReplyFacts facts;
  facts.reason = policy::Reason::rate_limited;
  facts.request_id = "0123";
  facts.retry_after = 42;
  facts.rate_fields = "RateLimit-Limit: 10\r\nRateLimit-Remaining: 0\r\nRateLimit-Reset: 60\r\n";
  const std::string reply = write_reply(facts);
  EXPECT_EQ(reply.rfind("HTTP/1.1 429 Too Many Requests\r\n", 0), 0U);
  EXPECT_NE(
      reply.find("\r\nRetry-After: 42\r\nRateLimit-Limit: 10\r\nRateLimit-Remaining: 0\r\nRateLimit-Reset: 60\r\n"),
      std::string::npos)
      << reply;
  EXPECT_NE(reply.find(R"("retry_after":42)"), std::string::npos) << reply;
  facts.retry_after = 0;
  EXPECT_NE(write_reply(facts).find("\r\nRetry-After: 1\r\n"), std::string::npos);
  facts.reason = policy::Reason::overloaded;
  facts.retry_after = 42;
  EXPECT_NE(write_reply(facts).find("\r\nRetry-After: 1\r\n"), std::string::npos) << "a limit's wait is not another's";
}

}  // namespace
}  // namespace keygate::proxy
