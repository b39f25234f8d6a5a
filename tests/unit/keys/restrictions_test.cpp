#include "keys/restrictions.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include <string>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;

std::optional<std::shared_ptr<const policy::Restrictions>> read(const std::string& text) {
  const auto document = boost::json::parse(text);
  const auto& object = document.as_object();
  return read_restrictions({object.if_contains("allowed_cidrs"), object.if_contains("rate_limit")});
}

TEST(Restrictions, AreWrittenAsTheyAreRead) {
  const std::string text =
      R"({"allowed_cidrs":["10.0.0.0/8","2001:db8::/32"],"rate_limit":{"limit":600,"window":"60s"}})";
  const auto restrictions = read(text);
  ASSERT_TRUE(restrictions && *restrictions);
  EXPECT_EQ((*restrictions)->allowed_from.size(), 2U);
  EXPECT_EQ((*restrictions)->rate_limit, (policy::RateLimit{600, 60s, {.key = true}}));
  boost::json::object object;
  write_restrictions(**restrictions, object);
  EXPECT_EQ(boost::json::serialize(object), text);
}

TEST(Restrictions, AreNoneWhereNothingStands) {
  const auto restrictions = read("{}");
  ASSERT_TRUE(restrictions);
  EXPECT_EQ(*restrictions, nullptr);
}

TEST(Restrictions, AreNotGuessedAt) {
  for (const char* text :
       {R"({"allowed_cidrs":null})", R"({"allowed_cidrs":[]})", R"({"allowed_cidrs":"10.0.0.0/8"})",
        R"({"allowed_cidrs":[10]})", R"({"allowed_cidrs":["10.1.0.0/8"]})", R"({"allowed_cidrs":["::1",""]})",
        R"({"rate_limit":null})", R"({"rate_limit":600})", R"({"rate_limit":{"limit":600}})",
        R"({"rate_limit":{"limit":600,"window":60}})", R"({"rate_limit":{"limit":"600","window":"1m"}})",
        R"({"rate_limit":{"limit":0,"window":"1m"}})", R"({"rate_limit":{"limit":-1,"window":"1m"}})",
        R"({"rate_limit":{"limit":1.5,"window":"1m"}})", R"({"rate_limit":{"limit":1,"window":"2d"}})",
        R"({"rate_limit":{"limit":1,"window":"1m","per":"ip"}})", R"({"rate_limit":[{"limit":1,"window":"1m"}]})",
        R"({"rate_limit":{"limit":9223372036854775807,"window":"1m"}})"}) {
    EXPECT_FALSE(read(text)) << text;
  }
}

TEST(Restrictions, AreNoEndlessList) {
  std::string list = R"({"allowed_cidrs":["::1")";
  for (std::size_t i = 1; i < policy::max_blocks; ++i) list += R"(,"::1")";
  EXPECT_TRUE(read(list + "]}"));
  EXPECT_FALSE(read(list + R"(,"::1"]})"));
}

}  // namespace
}  // namespace keygate::keys
