#include "keys/credential.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keygate::keys {
namespace {

CredentialPlan plan_with(std::vector<config::CredentialSource> sources) {
  config::CredentialSettings settings;
  settings.sources = std::move(sources);
  return CredentialPlan(settings);
}

CredentialPlan query_plan() { return plan_with({{config::CredentialSource::Kind::query, "api_key"}}); }

std::string stripped(const CredentialPlan& plan, std::string_view query) {
  std::string out(query.size(), '?');
  out.resize(plan.strip_query(query, out.data()));
  return out;
}

TEST(QueryCredential, P20QueriesThatTwoParsersReadDifferentlyAreAmbiguous) {
  for (const char* query : {"api_key=%zz", "a=%", "a=%4", "%u0061pi_key=k", "api_key=K1;api_key=KA",
                            "api_key=K1&api_key", "api_key", "a;api_key=K1", "api_key=K1;a", "a;API%5Fkey=K1"}) {
    EXPECT_TRUE(query_plan().is_query_ambiguous(query)) << query;
  }
}

TEST(QueryCredential, OtherQueriesAreNot) {
  for (const char* query :
       {"", "a", "a;b=1", "api_key=K1", "a=%20&api_key=K1&b;c", "x=api_key;y=api_key", "api_key=K1&api_key=K2"}) {
    EXPECT_FALSE(query_plan().is_query_ambiguous(query)) << query;
  }
}

TEST(QueryCredential, WithoutAQuerySourceNothingIsAmbiguous) {
  const CredentialPlan plan = plan_with({{config::CredentialSource::Kind::bearer, ""}});
  EXPECT_FALSE(plan.is_query_ambiguous("api_key=%zz;api_key"));
  EXPECT_EQ(stripped(plan, "api_key=k&b=1"), "api_key=k&b=1");
}

TEST(QueryCredential, StrippingLeavesTheRestByteForByte) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"api_key=k", ""},
      {"api_key=k&b=2", "b=2"},
      {"a=1&api_key=k", "a=1"},
      {"a=1&api_key=k&b=2", "a=1&b=2"},
      {"a=%41+b&&API%5fKEY=k&=&c", "a=%41+b&&=&c"},
      {"api_key=k&api_key=j&x", "x"},
      {"&api_key=k", ""},
      {"a&&api_key=k", "a&"},
      {"api_key2=k&my_api_key=j", "api_key2=k&my_api_key=j"},
      {"a;api_key=k", "a"},
      {"", ""},
  };
  for (const auto& [query, expected] : cases) {
    EXPECT_EQ(stripped(query_plan(), query), expected) << query;
    std::string in_place(query);
    in_place.resize(query_plan().strip_query(in_place, in_place.data()));
    EXPECT_EQ(in_place, expected) << query;
  }
}

// The most lenient parser there could be: written apart from the code under test.
std::vector<std::string> names_a_lenient_parser_sees(const std::string& query) {
  std::vector<std::string> names{""};
  bool in_name = true;
  for (std::size_t i = 0; i < query.size(); ++i) {
    char c = query[i];
    if (c == '&' || c == ';') {
      names.emplace_back();
      in_name = true;
      continue;
    }
    if (c == '=') in_name = false;
    if (!in_name) continue;
    if (c == '%' && i + 2 < query.size() && std::isxdigit(static_cast<unsigned char>(query[i + 1])) &&
        std::isxdigit(static_cast<unsigned char>(query[i + 2]))) {
      c = static_cast<char>(std::stoi(query.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else if (c == '+') {
      c = ' ';
    }
    names.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return names;
}

TEST(QueryCredential, P20AfterStrippingNoParserFindsOne) {
  constexpr std::array<std::string_view, 19> parts{
      "api_key", "API_KEY", "api%5Fkey", "%61pi_key", "api", "_key", "%5f", "=",   "=",    "&",
      "&",       ";",       "+",         "%",         "%zz", "k1",   "%26", "%3D", "a+b%4"};
  const CredentialPlan plan = query_plan();
  std::mt19937 random(20);
  for (int round = 0; round < 20'000; ++round) {
    std::string query;
    for (auto n = random() % 9; n-- > 0;) query += parts[random() % parts.size()];
    const std::string left = stripped(plan, query);
    const std::vector<std::string> names = names_a_lenient_parser_sees(left);
    ASSERT_EQ(std::ranges::count(names, "api_key"), 0) << query << " -> " << left;
    ASSERT_EQ(plan.extract({}, left).kind, Presented::Kind::nothing) << query;
    ASSERT_EQ(stripped(plan, left), left) << query;
  }
}

}  // namespace
}  // namespace keygate::keys
