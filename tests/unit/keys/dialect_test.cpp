#include "keys/dialect.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace keygate::keys {
namespace {

using config::ServiceDialect;
using State = policy::KeyAnswer::State;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string secret = "kg_THE_SECRET_THAT_IS_ASKED_ABOUT";

Mapping mapping_of(ServiceDialect dialect, CredentialRole role = CredentialRole::api_key) {
  config::ServiceSettings settings;
  settings.dialect = dialect;
  settings.session_scopes = {"projects:read"};
  return make_mapping(settings, role);
}

std::variant<policy::KeyAnswer, AnswerFlaw> read(const Mapping& mapping, const std::string& body) {
  return read_answer(mapping, {200, "application/json", body}, SecretView(secret));
}

policy::KeyAnswer answer_of(const Mapping& mapping, const std::string& body) {
  auto result = read(mapping, body);
  if (const auto* const flaw = std::get_if<AnswerFlaw>(&result)) {
    ADD_FAILURE() << flaw->text << "\n" << body;
    return {};
  }
  return std::get<policy::KeyAnswer>(result);
}

std::string flaw_of(const Mapping& mapping, const std::string& body) {
  const auto result = read(mapping, body);
  const auto* const flaw = std::get_if<AnswerFlaw>(&result);
  return flaw == nullptr ? "none" : flaw->text;
}

std::string request_of(const Mapping& mapping, const std::string& text) {
  const auto request = make_request(mapping, SecretView(text));
  if (!request) return "none";
  return std::string(request->method) + " " + std::string(request->content_type) + " " +
         std::string(request->body.view());
}

TEST(Dialect, SendsTheCredentialInItsForm) {
  EXPECT_EQ(request_of(mapping_of(ServiceDialect::native), "kg_1"), R"(POST application/json {"key":"kg_1"})");
  EXPECT_EQ(request_of(mapping_of(ServiceDialect::native, CredentialRole::session), "s_1"),
            R"(POST application/json {"session":"s_1"})");
  EXPECT_EQ(request_of(mapping_of(ServiceDialect::rfc7662), "a+b/c=~"),
            "POST application/x-www-form-urlencoded token=a%2Bb%2Fc%3D%7E");
  EXPECT_EQ(request_of(mapping_of(ServiceDialect::unkey), "kg_1"), R"(POST application/json {"key":"kg_1"})");
  EXPECT_EQ(request_of(mapping_of(ServiceDialect::better_auth), "kg_1"), R"(POST application/json {"key":"kg_1"})");
}

TEST(Dialect, ACredentialCannotLeaveItsPlaceInTheRequest) {
  const Mapping native = mapping_of(ServiceDialect::native);
  EXPECT_EQ(request_of(native, R"(a","valid":"\)"), R"(POST application/json {"key":"a\",\"valid\":\"\\"})");
  EXPECT_EQ(request_of(native, "a\nb"), "none");
  EXPECT_EQ(request_of(native, "a\xff"), "none");
  const Mapping form = mapping_of(ServiceDialect::rfc7662);
  EXPECT_EQ(request_of(form, "a&b\r\n"), "POST application/x-www-form-urlencoded token=a%26b%0D%0A");
  const Mapping session = mapping_of(ServiceDialect::better_auth, CredentialRole::session);
  for (const char* const text : {"a; other=b", "a\r\nX: y", "a\"", "a,b", "a\\b", "a\x7f", "a\xff", ""}) {
    EXPECT_EQ(request_of(session, text), "none") << text;
  }
}

TEST(Dialect, ABetterAuthSessionIsAskedForAsItsClientWould) {
  const auto request =
      make_request(mapping_of(ServiceDialect::better_auth, CredentialRole::session), SecretView("t.s%3D"));
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->method, "GET");
  EXPECT_EQ(request->content_type, "");
  EXPECT_FALSE(request->carries_token);
  EXPECT_EQ(request->fields.view(),
            "Cookie: better-auth.session_token=t.s%3D; __Secure-better-auth.session_token=t.s%3D\r\n"
            "Authorization: Bearer t.s%3D\r\n");
}

TEST(Dialect, NativeYes) {
  const auto answer = answer_of(mapping_of(ServiceDialect::native),
                                R"({"valid":true,"key_id":"key_1","organization_id":"org_1","user_id":"user_1",
      "scopes":["projects:read","*"],"environment":"test","expires_at":1750000000,"name":"CI","metadata":{"a":[1.5]}})");
  EXPECT_EQ(answer.state, State::valid);
  EXPECT_EQ(answer.principal.key_id, "key_1");
  EXPECT_EQ(answer.principal.organization, "org_1");
  EXPECT_EQ(answer.principal.user, "user_1");
  EXPECT_EQ(answer.principal.environment, policy::Environment::test);
  EXPECT_EQ(answer.principal.expires_at, 1'750'000'000);
  EXPECT_THAT(answer.principal.granted, ElementsAre("projects:read", "*"));
}

TEST(Dialect, WhatIsAbsentOrNullIsNotThere) {
  const Mapping native = mapping_of(ServiceDialect::native);
  for (const char* const rest :
       {"", R"(,"user_id":null,"scopes":null,"environment":null,"expires_at":null,"code":null)"}) {
    const auto answer =
        answer_of(native, R"({"valid":true,"key_id":"key_1","organization_id":"org_1")" + std::string(rest) + "}");
    EXPECT_EQ(answer.state, State::valid);
    EXPECT_EQ(answer.principal.user, "");
    EXPECT_TRUE(answer.principal.granted.empty());
    EXPECT_EQ(answer.principal.environment, policy::Environment::none);
    EXPECT_EQ(answer.principal.expires_at, std::nullopt);
  }
}

TEST(Dialect, NativeAloneMayRestrictAKey) {
  const std::string good = R"({"valid":true,"key_id":"key_1","organization_id":"org_1","active":true,"jti":"key_1")";
  const std::string bound = good + R"(,"allowed_cidrs":["10.0.0.0/8"],"rate_limit":{"limit":600,"window":"1m"}})";
  const auto answer = answer_of(mapping_of(ServiceDialect::native), bound);
  ASSERT_NE(answer.principal.restrictions, nullptr);
  EXPECT_EQ(answer.principal.restrictions->allowed_from.size(), 1U);
  EXPECT_EQ(answer.principal.restrictions->rate_limit->limit, 600U);
  EXPECT_EQ(answer_of(mapping_of(ServiceDialect::rfc7662), bound).principal.restrictions, nullptr);
  EXPECT_EQ(answer_of(mapping_of(ServiceDialect::native), good + R"(,"rate_limit":null})").principal.restrictions,
            nullptr);
  EXPECT_THAT(flaw_of(mapping_of(ServiceDialect::native), good + R"(,"allowed_cidrs":[]})"),
              HasSubstr("no address blocks at /allowed_cidrs"));
  EXPECT_THAT(flaw_of(mapping_of(ServiceDialect::native), good + R"(,"rate_limit":{"limit":0,"window":"1m"}})"),
              HasSubstr("no rate limit at /rate_limit"));
}

TEST(Dialect, NativeNo) {
  const Mapping native = mapping_of(ServiceDialect::native);
  EXPECT_EQ(answer_of(native, R"({"valid":false,"code":"unknown"})").state, State::unknown);
  EXPECT_EQ(answer_of(native, R"({"valid":false})").state, State::unknown);
  EXPECT_EQ(answer_of(native, R"({"valid":false,"code":"revoked"})").state, State::revoked);
  EXPECT_EQ(answer_of(native, R"({"valid":false,"code":"expired"})").state, State::expired);
  const auto disabled = answer_of(native, R"({"valid":false,"code":"disabled","key_id":"key_1","scopes":["a"]})");
  EXPECT_EQ(disabled.state, State::disabled);
  EXPECT_EQ(disabled.principal.key_id, "key_1");
  EXPECT_TRUE(disabled.principal.granted.empty());
}

TEST(Dialect, ARefusalThatIsNotUnderstoodIsNotRemembered) {
  EXPECT_THAT(flaw_of(mapping_of(ServiceDialect::native), R"({"valid":false,"code":"NOT_FOUND"})"),
              AllOf(HasSubstr("unknown code"), Not(HasSubstr("NOT_FOUND"))));
  const auto limited = read(mapping_of(ServiceDialect::unkey), R"({"data":{"valid":false,"code":"RATE_LIMITED"}})");
  ASSERT_TRUE(std::holds_alternative<AnswerFlaw>(limited));
  EXPECT_EQ(std::get<AnswerFlaw>(limited).error, errc::unavailable);
}

TEST(Dialect, A06_Rfc7662) {
  const Mapping mapping = mapping_of(ServiceDialect::rfc7662);
  const auto answer = answer_of(mapping, R"({"active":true,"client_id":"app_1","sub":"user_1","org_id":"org_1",
      "scope":"projects:read  projects:write","exp":1750000000,"iat":1,"token_type":"Bearer"})");
  EXPECT_EQ(answer.principal.key_id, "app_1");
  EXPECT_EQ(answer.principal.user, "user_1");
  EXPECT_EQ(answer.principal.organization, "org_1");
  EXPECT_THAT(answer.principal.granted, ElementsAre("projects:read", "projects:write"));
  EXPECT_EQ(answer.principal.expires_at, 1'750'000'000);
  const auto other =
      answer_of(mapping, R"({"active":true,"jti":"token_1","client_id":"app_1","organization_id":"org_2"})");
  EXPECT_EQ(other.principal.key_id, "token_1");
  EXPECT_EQ(other.principal.organization, "org_2");
  EXPECT_EQ(answer_of(mapping, R"({"active":false})").state, State::unknown);
}

TEST(Dialect, Unkey) {
  const Mapping mapping = mapping_of(ServiceDialect::unkey);
  const auto answer = answer_of(mapping, R"({"meta":{"requestId":"req_1"},"data":{"valid":true,"code":"VALID",
      "keyId":"key_1","permissions":["projects:read","documents.write"],"expires":1750000000123,
      "identity":{"id":"id_1","externalId":"org_1","meta":{}}}})");
  EXPECT_EQ(answer.state, State::valid);
  EXPECT_EQ(answer.principal.key_id, "key_1");
  EXPECT_EQ(answer.principal.organization, "org_1");
  EXPECT_EQ(answer.principal.expires_at, 1'750'000'000);
  EXPECT_THAT(answer.principal.granted, ElementsAre("projects:read", "documents.write"));
  EXPECT_EQ(answer_of(mapping, R"({"data":{"valid":true,"keyId":"key_1","identity":null}})").principal.organization,
            "");

  const auto no = [&](const std::string& code) {
    return answer_of(mapping, R"({"data":{"valid":false,"keyId":"key_1","code":")" + code + R"("}})").state;
  };
  EXPECT_EQ(no("NOT_FOUND"), State::unknown);
  EXPECT_EQ(no("EXPIRED"), State::expired);
  EXPECT_EQ(no("DISABLED"), State::disabled);
  EXPECT_EQ(no("USAGE_EXCEEDED"), State::disabled);
}

TEST(Dialect, BetterAuth) {
  const Mapping mapping = mapping_of(ServiceDialect::better_auth);
  const auto answer = answer_of(mapping, R"({"valid":true,"error":null,"key":{"id":"key_1","referenceId":"org_1",
      "permissions":{"projects":["read","write"],"admin":[]},"enabled":true,"expiresAt":"2025-06-15T15:06:40.000Z",
      "metadata":{"organizationId":"org_other"}}})");
  EXPECT_EQ(answer.state, State::valid);
  EXPECT_EQ(answer.principal.key_id, "key_1");
  EXPECT_EQ(answer.principal.organization, "org_1") << "metadata is the client's to write";
  EXPECT_EQ(answer.principal.expires_at, 1'750'000'000);
  EXPECT_THAT(answer.principal.granted, ElementsAre("projects:read", "projects:write"));

  const auto no = [&](const std::string& code) {
    return answer_of(mapping, R"({"valid":false,"error":{"message":"m","code":")" + code + R"("},"key":null})").state;
  };
  EXPECT_EQ(no("INVALID_API_KEY"), State::unknown);
  EXPECT_EQ(no("KEY_DISABLED"), State::disabled);
  EXPECT_EQ(no("KEY_EXPIRED"), State::expired);
  EXPECT_EQ(no("USAGE_EXCEEDED"), State::disabled);
}

TEST(Dialect, BetterAuthSession) {
  const Mapping mapping = mapping_of(ServiceDialect::better_auth, CredentialRole::session);
  const auto answer =
      answer_of(mapping, R"({"session":{"id":"session_1","token":"t","expiresAt":"2025-06-15T15:06:40.000Z",
      "activeOrganizationId":"org_1"},"user":{"id":"user_1","email":"jane@example.com"}})");
  EXPECT_EQ(answer.state, State::valid);
  EXPECT_EQ(answer.principal.key_id, "session_1");
  EXPECT_EQ(answer.principal.user, "user_1");
  EXPECT_EQ(answer.principal.organization, "org_1");
  EXPECT_THAT(answer.principal.granted, ElementsAre("projects:read"));
  EXPECT_EQ(answer.principal.expires_at, 1'750'000'000);
  EXPECT_EQ(answer_of(mapping, "null").state, State::unknown);
  EXPECT_THAT(flaw_of(mapping, R"({"session":{"id":"session_1"}})"), HasSubstr("/user/id"));
}

TEST(Dialect, ASessionNeedsOnlyItsUser) {
  const Mapping mapping = mapping_of(ServiceDialect::native, CredentialRole::session);
  const auto bare = answer_of(mapping, R"({"valid":true,"user_id":"user_1"})");
  EXPECT_EQ(bare.principal.user, "user_1");
  EXPECT_EQ(bare.principal.key_id, "");
  EXPECT_EQ(bare.principal.organization, "");
  EXPECT_THAT(bare.principal.granted, ElementsAre("projects:read"));
  const auto own = answer_of(mapping, R"({"valid":true,"user_id":"user_1","session_id":"s_1","scopes":[]})");
  EXPECT_EQ(own.principal.key_id, "s_1");
  EXPECT_TRUE(own.principal.granted.empty());
  EXPECT_THAT(flaw_of(mapping, R"({"valid":true})"), HasSubstr("/user_id"));
  EXPECT_THAT(flaw_of(mapping, R"({"valid":true,"user_id":"user_1","session_id":")" + secret + "\"}"),
              AllOf(HasSubstr("the credential itself"), Not(HasSubstr(secret))));
}

TEST(Dialect, CustomSpellsItOut) {
  config::ServiceSettings settings;
  settings.dialect = ServiceDialect::custom;
  auto& written = settings.mapping.emplace();
  written.form = config::ServiceMapping::Form::form;
  written.request_field = "api key";
  written.valid = "/0/a~1b";
  written.code = "";
  written.key_id = "/0/m~0n/id";
  written.organization = "";
  const Mapping mapping = make_mapping(settings, CredentialRole::api_key);
  EXPECT_EQ(request_of(mapping, "kg_1"), "POST application/x-www-form-urlencoded api%20key=kg_1");
  EXPECT_THAT(flaw_of(mapping, "[]"), HasSubstr("no JSON object"));

  written.valid = "/list/0/a~1b";
  written.key_id = "/list/1/m~0n";
  const Mapping nested = make_mapping(settings, CredentialRole::api_key);
  for (const char* const rest : {R"("scopes":["a:b","c"])", R"("scopes":"a:b c")", R"("scopes":{"a":["b"],"c":[]})"}) {
    const auto answer = answer_of(nested, R"({"list":[{"a/b":true},{"m~n":"key_1"}],"organization_id":"x",)" +
                                              std::string(rest) + R"(,"expires_at":"2025-06-15T15:06:40Z"})");
    EXPECT_EQ(answer.state, State::valid);
    EXPECT_EQ(answer.principal.key_id, "key_1");
    EXPECT_EQ(answer.principal.organization, "");
    EXPECT_EQ(answer.principal.expires_at, 1'750'000'000);
    EXPECT_EQ(answer.principal.granted.front(), "a:b");
  }
  EXPECT_EQ(answer_of(nested, R"({"list":[{"a/b":false}],"code":"whatever"})").state, State::unknown);
}

struct Refused {
  std::string name;
  std::string body;
  std::string content_type = "application/json";
  unsigned status = 200;
  errc error = errc::invalid_answer;
  ServiceDialect dialect = ServiceDialect::native;
};

class RefusedAnswer : public testing::TestWithParam<Refused> {};

TEST_P(RefusedAnswer, IsCouldNotFindOut) {
  const Refused& row = GetParam();
  const auto result =
      read_answer(mapping_of(row.dialect), {row.status, row.content_type, row.body}, SecretView(secret));
  ASSERT_TRUE(std::holds_alternative<AnswerFlaw>(result));
  EXPECT_EQ(std::get<AnswerFlaw>(result).error, row.error);
  EXPECT_FALSE(std::get<AnswerFlaw>(result).text.empty());
  EXPECT_THAT(std::get<AnswerFlaw>(result).text, Not(HasSubstr("THE_SECRET")));
}

// A good answer but for `fields`.
std::string with(const std::string& fields) {
  return R"({"valid":true,"key_id":"key_1","organization_id":"org_1",)" + fields + "}";
}

std::string nested(std::size_t depth) {
  return with("\"metadata\":" + std::string(depth, '[') + std::string(depth, ']'));
}

std::string many_scopes(std::size_t count) {
  std::string list = "\"a\"";
  for (std::size_t i = 1; i < count; ++i) list += ",\"a" + std::to_string(i) + "\"";
  return with("\"scopes\":[" + list + "]");
}

const std::string good = with("\"scopes\":[]");

INSTANTIATE_TEST_SUITE_P(
    Rows, RefusedAnswer,
    testing::Values(
        Refused{"F23_Empty", ""}, Refused{"F23_InvalidJson", "{valid: true}"},
        Refused{"F23_Html", "<html><body>ok</body></html>"}, Refused{"F23_Truncated", good.substr(0, good.size() - 1)},
        Refused{"F23_SomethingBehind", good + "{}"}, Refused{"F23_ByteOrderMark", "\xef\xbb\xbf" + good},
        Refused{"F23_InvalidUtf8", with("\"name\":\"\xff\"")}, Refused{"F23_NotAnObject", "[true]"},
        Refused{"F23_Null", "null"}, Refused{"F23_DuplicateValid", with(R"("valid":true)")},
        Refused{"F23_DuplicateAfterNo", R"({"valid":false,"valid":true,"key_id":"key_1","organization_id":"org_1"})"},
        Refused{"F23_DuplicateByEscape", with(R"("\u0076alid":false)")},
        Refused{"F23_DuplicateInside", with(R"("metadata":{"a":[{"b":1,"b":2}]})")},
        Refused{"F23_ActiveAsText", R"({"active":"true","client_id":"app_1"})", "application/json", 200,
                errc::invalid_answer, ServiceDialect::rfc7662},
        Refused{"F23_ActiveAsNumber", R"({"active":1,"client_id":"app_1"})", "application/json", 200,
                errc::invalid_answer, ServiceDialect::rfc7662},
        Refused{"F23_ActiveMissing", R"({"client_id":"app_1"})", "application/json", 200, errc::invalid_answer,
                ServiceDialect::rfc7662},
        Refused{"F23_ActiveNull", R"({"active":null,"client_id":"app_1"})", "application/json", 200,
                errc::invalid_answer, ServiceDialect::rfc7662},
        Refused{"F23_ValidMissing", R"({"key_id":"key_1","organization_id":"org_1"})"},
        Refused{"F23_YesAndNo", with(R"("code":"revoked")")},
        Refused{"F23_CodeAsNumber", R"({"valid":false,"code":1})"},
        Refused{"F23_KeyIdMissing", R"({"valid":true,"organization_id":"org_1"})"},
        Refused{"F23_KeyIdAsNumber", R"({"valid":true,"key_id":7,"organization_id":"org_1"})"},
        Refused{"F23_KeyIdEmpty", R"({"valid":true,"key_id":"","organization_id":"org_1"})"},
        Refused{"F23_KeyIdIsTheKey", R"({"valid":true,"key_id":")" + secret + R"(","organization_id":"org_1"})"},
        Refused{"F23_OrganizationMissing", R"({"valid":true,"key_id":"key_1"})"},
        Refused{"F23_OrganizationWithLineEnd",
                R"({"valid":true,"key_id":"key_1","organization_id":"org\r\nX-Org-Id: a"})"},
        Refused{"F23_OrganizationWithNul", R"({"valid":true,"key_id":"key_1","organization_id":"org\u0000"})"},
        Refused{"F23_OrganizationTooLong",
                R"({"valid":true,"key_id":"key_1","organization_id":")" + std::string(129, 'a') + "\"}"},
        Refused{"F23_OrganizationAsList", R"({"valid":true,"key_id":"key_1","organization_id":["org_1"]})"},
        Refused{"F23_UserWithBlank", with(R"("user_id":"a b")")},
        Refused{"F23_EnvironmentUnknown", with(R"("environment":"prod")")},
        Refused{"F23_EnvironmentAsNumber", with(R"("environment":1)")},
        Refused{"F23_ExpiryAsText", with(R"("expires_at":"1750000000")")},
        Refused{"F23_ExpiryNaN", with(R"("expires_at":NaN)")},
        Refused{"F23_ExpiryPast2To63", with(R"("expires_at":9223372036854775808)")},
        Refused{"F23_ExpiryAfterYear9999", with(R"("expires_at":253402300800)")},
        Refused{"F23_ExpiryNegative", with(R"("expires_at":-1)")}, Refused{"F23_ExpiryZero", with(R"("expires_at":0)")},
        Refused{"F23_ExpiryAsFraction", with(R"("expires_at":1750000000.0)")},
        Refused{"F23_ExpiryAsExponent", with(R"("expires_at":1e9)")},
        Refused{"F23_ExpiryAsBoolean", with(R"("expires_at":true)")},
        Refused{"F23_ScopesAsText", with(R"("scopes":"projects:read")")},
        Refused{"F23_ScopesAsObject", with(R"("scopes":{"projects":["read"]})")},
        Refused{"F23_ScopeAsNumber", with(R"("scopes":["a",1])")}, Refused{"F23_ScopeEmpty", with(R"("scopes":[""])")},
        Refused{"F23_ScopeWithBlank", with(R"("scopes":["a b"])")},
        Refused{"F23_ScopeWithLineEnd", with(R"("scopes":["a\n"])")},
        Refused{"F23_ScopeTooLong", with("\"scopes\":[\"" + std::string(129, 'a') + "\"]")},
        Refused{"F23_ScopesTooMany", many_scopes(257)},
        Refused{"F23_ValueInTheWay", R"({"data":"text"})", "application/json", 200, errc::invalid_answer,
                ServiceDialect::unkey},
        Refused{"F23_IdentityAsText", R"({"data":{"valid":true,"keyId":"key_1","identity":"org_1"}})",
                "application/json", 200, errc::invalid_answer, ServiceDialect::unkey},
        Refused{"F23_PermissionsAsText", R"({"valid":true,"key":{"id":"key_1","permissions":"{}"}})",
                "application/json", 200, errc::invalid_answer, ServiceDialect::better_auth},
        Refused{"F24_TooDeep", nested(8)}, Refused{"F24_VeryDeep", std::string(100'000, '[')},
        Refused{"F24_VeryDeepInside", nested(30'000)}, Refused{"F25_NoContentType", good, ""},
        Refused{"F25_PlainText", good, "text/plain"}, Refused{"F25_Html", good, "text/html; charset=utf-8"},
        Refused{"F25_AlmostJson", good, "application/jsonp"}, Refused{"F25_Created", good, "application/json", 201},
        Refused{"F25_NoContent", "", "", 204}, Refused{"F25_Redirect", good, "application/json", 302},
        Refused{"F25_TokenRefused", good, "application/json", 401},
        Refused{"F25_NotFound", good, "application/json", 404},
        Refused{"F22_TooManyRequests", good, "application/json", 429, errc::unavailable},
        Refused{"F22_InternalError", good, "application/json", 500, errc::unavailable},
        Refused{"F22_BadGateway", good, "application/json", 502, errc::unavailable}),
    [](const auto& row) { return row.param.name; });

TEST(Dialect, F23_TheLimitsThemselvesPass) {
  const Mapping native = mapping_of(ServiceDialect::native);
  EXPECT_EQ(answer_of(native, many_scopes(256)).principal.granted.size(), 256U);
  EXPECT_EQ(answer_of(native, nested(7)).state, State::valid);
  EXPECT_EQ(answer_of(native, with(R"("expires_at":253402300799)")).principal.expires_at, 253'402'300'799);
  EXPECT_EQ(answer_of(native, " \r\n" + good + "\n").state, State::valid);
  for (const char* const type :
       {"application/json", "Application/JSON; charset=utf-8", "application/problem+json", "application/json ;a=b"}) {
    const auto result = read_answer(native, {200, type, good}, SecretView(secret));
    EXPECT_TRUE(std::holds_alternative<policy::KeyAnswer>(result)) << type;
  }
}

}  // namespace
}  // namespace keygate::keys
