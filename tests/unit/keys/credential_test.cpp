#include "keys/credential.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace keygate::keys {
namespace {

using policy::Environment;
using Kind = Presented::Kind;
using SourceKind = config::CredentialSource::Kind;

const std::string live_key = "rk_" + std::string(45, 'L');
const std::string other_key = "rk_" + std::string(45, 'M');
const std::string test_key = "rk_test_" + std::string(40, 'T');

config::CredentialSettings all_sources() {
  config::CredentialSettings settings;
  settings.sources = {{SourceKind::bearer, ""},
                      {SourceKind::header, "x-api-key"},
                      {SourceKind::query, "api_key"},
                      {SourceKind::cookie, "session"}};
  settings.formats.resize(2);
  settings.formats[0].prefix = "rk_";
  settings.formats[0].environment = Environment::live;
  settings.formats[0].length = 48;
  settings.formats[1] = settings.formats[0];
  settings.formats[1].prefix = "rk_test_";
  settings.formats[1].environment = Environment::test;
  return settings;
}

struct Case {
  const char* name;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string query;
  Kind kind = Kind::nothing;
  std::string key;  // of `one`
  SourceKind source = SourceKind::bearer;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class Extract : public testing::TestWithParam<Case> {};

TEST_P(Extract, Finds) {
  const Case& c = GetParam();
  std::vector<policy::HeaderField> headers;
  for (const auto& [name, value] : c.headers) headers.push_back({name, value});
  const CredentialPlan plan(all_sources());
  const Presented presented = plan.extract(headers, c.query);
  ASSERT_EQ(presented.kind, c.kind);
  EXPECT_EQ(presented.secret.reveal(), c.key);
  if (c.kind != Kind::one) return;
  EXPECT_EQ(presented.source, c.source);
  EXPECT_EQ(presented.environment, c.key == test_key ? Environment::test : Environment::live);
}

const Case bearer_cases[] = {
    {"Bearer", {{"Authorization", "Bearer " + live_key}}, "", Kind::one, live_key},
    {"BearerTestKey", {{"Authorization", "Bearer " + test_key}}, "", Kind::one, test_key},
    {"NameInAnyCase", {{"aUTHORIZATION", "Bearer " + live_key}}, "", Kind::one, live_key},
    {"A04SchemeInAnyCase", {{"Authorization", "bEARER " + live_key}}, "", Kind::one, live_key},
    {"A04SeveralBlanks", {{"Authorization", "Bearer   " + live_key}}, "", Kind::one, live_key},
    {"A04TwoTokens", {{"Authorization", "Bearer " + live_key + " x"}}, "", Kind::malformed, ""},
    {"A04ListOfSchemes", {{"Authorization", "Bearer " + live_key + ",Bearer " + other_key}}, "", Kind::malformed, ""},
    {"A04NoToken", {{"Authorization", "Bearer"}}, "", Kind::malformed, ""},
    {"A04BlankToken", {{"Authorization", "Bearer "}}, "", Kind::malformed, ""},
    {"A04Tab", {{"Authorization", "Bearer\t" + live_key}}, "", Kind::malformed, ""},
    {"A04TrailingBlank", {{"Authorization", "Bearer " + live_key + " "}}, "", Kind::malformed, ""},
    {"A04PaddingInside", {{"Authorization", "Bearer a=b"}}, "", Kind::malformed, ""},
    {"A04Quoted", {{"Authorization", "Bearer \"" + live_key + "\""}}, "", Kind::malformed, ""},
    {"A04Comma", {{"Authorization", "Bearer," + live_key}}, "", Kind::malformed, ""},
    {"A04EmptyValue", {{"Authorization", ""}}, "", Kind::malformed, ""},
    {"A04Basic", {{"Authorization", "Basic dXNlcjpwYXNz"}}, "", Kind::nothing, ""},
    {"A04BearerIsAWholeWord", {{"Authorization", "Bearers " + live_key}}, "", Kind::nothing, ""},
    {"FitsNoFormat",
     {{"Authorization", "Bearer sk_0123456789012345678901234567890"}},
     "",
     Kind::unfit,
     "sk_0123456789012345678901234567890"},
    {"ObsText", {{"Authorization", "Bearer rk_\xE9" + std::string(44, 'a')}}, "", Kind::malformed, ""},
    {"A03TwoLines",
     {{"Authorization", "Bearer " + live_key}, {"authorization", "Bearer " + other_key}},
     "",
     Kind::ambiguous,
     ""},
    {"A03TheSameLineTwice",
     {{"Authorization", "Bearer " + live_key}, {"Authorization", "Bearer " + live_key}},
     "",
     Kind::ambiguous,
     ""},
    {"A03BasicBesideBearer",
     {{"Authorization", "Basic dXNlcjpwYXNz"}, {"Authorization", "Bearer " + live_key}},
     "",
     Kind::ambiguous,
     ""},
};
INSTANTIATE_TEST_SUITE_P(Bearer, Extract, testing::ValuesIn(bearer_cases), [](const auto& i) { return i.param.name; });

const Case header_cases[] = {
    {"Nothing", {{"Accept", "*/*"}}, "a=b", Kind::nothing, ""},
    {"Header", {{"X-Api-Key", live_key}}, "", Kind::one, live_key, SourceKind::header},
    {"UnderscoresAreAnotherName", {{"X_Api_Key", live_key}}, "", Kind::nothing, ""},
    {"Empty", {{"x-api-key", ""}}, "", Kind::malformed, ""},
    {"Blank", {{"x-api-key", live_key + " "}}, "", Kind::malformed, ""},
    {"A03Twice", {{"x-api-key", live_key}, {"X-API-Key", live_key}}, "", Kind::ambiguous, ""},
    {"A03SameKeyTwoPlaces",
     {{"x-api-key", live_key}, {"Authorization", "Bearer " + live_key}},
     "",
     Kind::one,
     live_key},
    {"A03TwoKeys", {{"x-api-key", other_key}, {"Authorization", "Bearer " + live_key}}, "", Kind::ambiguous, ""},
    {"BasicBesideKey",
     {{"Authorization", "Basic dXNlcjpwYXNz"}, {"x-api-key", live_key}},
     "",
     Kind::one,
     live_key,
     SourceKind::header},
    {"MalformedBearerBesideKey", {{"Authorization", "Bearer a b"}, {"x-api-key", live_key}}, "", Kind::malformed, ""},
};
INSTANTIATE_TEST_SUITE_P(Header, Extract, testing::ValuesIn(header_cases), [](const auto& i) { return i.param.name; });

const Case query_cases[] = {
    {"Query", {}, "a=1&api_key=" + live_key + "&b", Kind::one, live_key, SourceKind::query},
    {"EscapedName", {}, "api%5Fkey=" + live_key, Kind::one, live_key, SourceKind::query},
    {"FoldedName", {}, "API_Key=" + live_key, Kind::one, live_key, SourceKind::query},
    {"LongerName", {}, "api_key2=" + live_key + "&my_api_key=" + live_key, Kind::nothing, ""},
    {"BlankIsNoUnderscore", {}, "api+key=" + live_key, Kind::nothing, ""},
    {"Empty", {}, "api_key=", Kind::malformed, ""},
    {"WithoutValue", {}, "api_key", Kind::malformed, ""},
    {"EscapedValue", {}, "api_key=%72k_" + std::string(45, 'L'), Kind::malformed, ""},
    {"PlusInValue", {}, "api_key=rk_+" + std::string(44, 'L'), Kind::malformed, ""},
    {"A03Twice", {}, "api_key=" + live_key + "&api_key=" + other_key, Kind::ambiguous, ""},
    {"A03TheSameTwice", {}, "api_key=" + live_key + "&API_KEY=" + live_key, Kind::ambiguous, ""},
    {"A03EscapedBesidePlain", {}, "api%5Fkey=" + live_key + "&api_key=" + other_key, Kind::ambiguous, ""},
    {"A03BesideHeader", {{"x-api-key", other_key}}, "api_key=" + live_key, Kind::ambiguous, ""},
    {"A03SameBesideHeader", {{"x-api-key", live_key}}, "api_key=" + live_key, Kind::one, live_key, SourceKind::header},
};
INSTANTIATE_TEST_SUITE_P(Query, Extract, testing::ValuesIn(query_cases), [](const auto& i) { return i.param.name; });

const Case cookie_cases[] = {
    {"Cookie", {{"Cookie", "a=1; session=" + live_key + "; b=2"}}, "", Kind::one, live_key, SourceKind::cookie},
    {"Only", {{"cookie", "session=" + live_key}}, "", Kind::one, live_key, SourceKind::cookie},
    {"WithoutBlank", {{"Cookie", "a=1;session=" + live_key + ";b"}}, "", Kind::one, live_key, SourceKind::cookie},
    {"NameCaseCounts", {{"Cookie", "Session=" + live_key}}, "", Kind::nothing, ""},
    {"QuotesBelongToTheValue", {{"Cookie", "session=\"" + live_key + "\""}}, "", Kind::malformed, ""},
    {"A03Twice", {{"Cookie", "session=" + live_key + "; session=" + other_key}}, "", Kind::ambiguous, ""},
    {"A03InTwoLines", {{"Cookie", "session=" + live_key}, {"Cookie", "session=" + live_key}}, "", Kind::ambiguous, ""},
    {"A03BesideBearer",
     {{"Authorization", "Bearer " + live_key}, {"Cookie", "session=" + other_key}},
     "",
     Kind::ambiguous,
     ""},
};
INSTANTIATE_TEST_SUITE_P(Cookie, Extract, testing::ValuesIn(cookie_cases), [](const auto& i) { return i.param.name; });

TEST(CredentialPlan, LooksOnlyWhereItIsTold) {
  config::CredentialSettings settings = all_sources();
  settings.sources = {{SourceKind::header, "x-api-key"}};
  const CredentialPlan plan(settings);
  const std::string bearer = "Bearer " + live_key, cookie = "session=" + live_key;
  const policy::HeaderField headers[] = {{"Authorization", bearer}, {"Cookie", cookie}};
  EXPECT_EQ(plan.extract(headers, "api_key=" + live_key).kind, Kind::nothing);
  EXPECT_FALSE(plan.reads_query());
  EXPECT_FALSE(plan.reads_cookies());
}

TEST(CredentialPlan, ViewsTheRequest) {
  const CredentialPlan plan(all_sources());
  const policy::HeaderField header{"x-api-key", live_key};
  EXPECT_EQ(plan.extract({&header, 1}, "").secret.reveal().data(), live_key.data());
}

TEST(CredentialPlan, StripsTheCookiesPairOnly) {
  const CredentialPlan plan(all_sources());
  const std::pair<std::string, std::string> cases[] = {
      {"session=k", ""},
      {"a=1; session=k; b=2", "a=1; b=2"},
      {"session=k; b=2", "b=2"},
      {"a=1; session=k", "a=1"},
      {"a=1;session=k;b=2", "a=1;b=2"},
      {"session=k;  session=j ; c", "c"},
      {"session", ""},
      {"a=\"session=k\"; sessions=1; Session=2", "a=\"session=k\"; sessions=1; Session=2"},
      {"", ""},
  };
  for (const auto& [value, expected] : cases) {
    std::string out(value.size(), '?');
    out.resize(plan.strip_cookie(value, out.data()));
    EXPECT_EQ(out, expected) << value;
    std::string in_place = value;
    in_place.resize(plan.strip_cookie(in_place, in_place.data()));
    EXPECT_EQ(in_place, expected) << value;
  }
}

}  // namespace
}  // namespace keygate::keys
