#include "app/admin_api.hpp"

#include "app/settings_json.hpp"

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>

#include <string>

namespace keygate::app {
namespace {

using testing::HasSubstr;
using testing::Not;

proxy::Recent lines(std::vector<std::string> all) {
  proxy::Recent recent;
  recent.last = all.size();
  recent.lines = std::move(all);
  return recent;
}

std::string line(int second, const std::string& code, const std::string& more = "") {
  return R"({"time":"2026-11-22T10:00:0)" + std::to_string(second) + R"(.000Z","code":")" + code + "\"" + more + "}\n";
}

DecisionFilter filter_of(std::string_view query) {
  DecisionFilter filter;
  EXPECT_EQ(DecisionFilter::read(query, filter), std::nullopt);
  return filter;
}

TEST(Decisions, AreInTheOrderOfTheirTimesOverAllWorkers) {
  const auto found = decisions_json({lines({line(1, "a"), line(4, "d")}), lines({line(2, "b"), line(3, "c")})}, {});
  std::string codes;
  for (const auto& one : found) codes += one.at("code").as_string().c_str();
  EXPECT_EQ(codes, "abcd");
}

TEST(Decisions, AreTheYoungestThatFit) {
  const auto found = decisions_json({lines({line(1, "ok"), line(2, "no_route"), line(3, "no_route"), line(4, "ok")})},
                                    filter_of("denied=1&limit=1"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].at("time").as_string(), "2026-11-22T10:00:03.000Z");
}

TEST(Decisions, WhatFitsBeyondTheLimitIsCounted) {
  std::uint64_t left_out = 0;
  const auto found =
      decisions_json({lines({line(1, "no_route"), line(2, "ok"), line(3, "no_route"), line(4, "no_route")})},
                     filter_of("denied=1&limit=1"), &left_out);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].at("time").as_string(), "2026-11-22T10:00:04.000Z");
  EXPECT_EQ(left_out, 2U) << "of those that were asked for";
}

TEST(Decisions, AreFilteredByWhatTheyAreOf) {
  const std::vector<proxy::Recent> all{lines({line(1, "ok", R"(,"route":"a","key_id":"k1")"),
                                              line(2, "ok", R"(,"route":"b","organization_id":"o")"), "no JSON\n"})};
  EXPECT_EQ(decisions_json(all, {}).size(), 2U);
  EXPECT_EQ(decisions_json(all, filter_of("route=a")).size(), 1U);
  EXPECT_EQ(decisions_json(all, filter_of("key_id=k1&route=b")).size(), 0U);
  EXPECT_EQ(decisions_json(all, filter_of("organization_id=o")).size(), 1U);
  EXPECT_EQ(decisions_json(all, filter_of("q=%22b%22")).size(), 1U);
  EXPECT_EQ(decisions_json(all, filter_of("code=expired_key")).size(), 0U);
}

TEST(Decisions, RefuseAFilterThatIsNone) {
  DecisionFilter filter;
  EXPECT_THAT(DecisionFilter::read("rout=a", filter).value_or(""), HasSubstr("no filter \"rout\""));
  EXPECT_NE(DecisionFilter::read("limit=many", filter), std::nullopt);
  EXPECT_NE(DecisionFilter::read("code=%zz", filter), std::nullopt);
}

TEST(EffectiveConfig, ShowsNoSecret) {
  config::Settings settings;
  const auto literal = [] {
    return config::SecretSettings{config::SecretSettings::Kind::literal, "hunter2-hunter2", {}};
  };
  settings.upstreams.emplace_back();
  settings.upstreams.back().authorization = literal();
  settings.credentials.admin_secrets.push_back({"dispatcher", literal(), {"admin"}, {}, {}});
  settings.resolution.redis.emplace();
  settings.resolution.redis->address.host = "redis";
  settings.resolution.redis->address.password = "hunter2-hunter2";
  settings.resolution.redis->password = literal();
  settings.resolution.service.emplace();
  settings.resolution.service->token = literal();
  settings.resolution.service->url.target = "/verify?token=hunter2-hunter2";
  settings.admin.emplace();
  settings.admin->token = literal();
  const std::string text = boost::json::serialize(settings_json(settings));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, HasSubstr("***"));
  EXPECT_THAT(text, HasSubstr("staleness_bound"));
}

}  // namespace
}  // namespace keygate::app
