#include "telemetry/access_log.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::telemetry {
namespace {

using namespace std::chrono_literals;
using namespace std::literals;

// 2023-11-14T22:13:20.007Z
constexpr std::chrono::system_clock::time_point a_time{1'700'000'000'007ms};

Outcome full_outcome() {
  Outcome outcome;
  outcome.started = a_time;
  outcome.request_id = "0123456789abcdef01234567";
  outcome.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  outcome.client = "203.0.113.7";
  outcome.method = "GET";
  outcome.host = "api.example.com";
  outcome.path = "/v1/projects";
  outcome.route = "read-projects";
  outcome.code = "ok";
  outcome.status = 200;
  outcome.key_id = "key_1";
  outcome.organization_id = "org_1";
  outcome.environment = "live";
  outcome.auth_method = "api_key";
  outcome.scopes = "projects:read";
  outcome.grants = "projects:*";
  outcome.conditions = "x-beta";
  outcome.source = "memory";
  outcome.age_ms = 1234;
  outcome.generation = 3;
  outcome.bytes_in = 5;
  outcome.bytes_out = 18'446'744'073'709'551'615U;
  outcome.duration = 1'002us;
  outcome.auth = 17us;
  outcome.upstream = "app";
  outcome.upstream_wait = 900us;
  return outcome;
}

std::string json_line(const Outcome& outcome) {
  std::string line;
  append_json(line, outcome);
  return line;
}

std::string text_line(const Outcome& outcome, AccessFormat format = AccessFormat::text) {
  std::string line;
  append_text(line, outcome, format);
  return line;
}

// Every field that a client, an upstream or a key service can put something into.
constexpr std::string_view Outcome::*texts[] = {
    &Outcome::shadow_code,     &Outcome::trace_id,    &Outcome::client_subject, &Outcome::request_id,
    &Outcome::client,          &Outcome::method,      &Outcome::host,           &Outcome::path,
    &Outcome::route,           &Outcome::code,        &Outcome::key_id,         &Outcome::environment,
    &Outcome::organization_id, &Outcome::auth_method, &Outcome::scopes,         &Outcome::conditions,
    &Outcome::source,          &Outcome::upstream,    &Outcome::grants};

Outcome filled_with(std::string_view value) {
  Outcome outcome;
  outcome.started = a_time;
  for (const auto member : texts) outcome.*member = value;
  return outcome;
}

void expect_one_plain_line(const std::string& line) {
  ASSERT_FALSE(line.empty());
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  EXPECT_EQ(line.back(), '\n');
  for (const char c : line.substr(0, line.size() - 1)) {
    const auto byte = static_cast<unsigned char>(c);
    EXPECT_TRUE(byte >= 0x20 && byte < 0x7f) << unsigned{byte};
  }
}

// --- JSON
// ---------------------------------------------------------------------------------------------------------------------

TEST(AccessJson, IsExactlyThis) {
  EXPECT_EQ(
      json_line(full_outcome()),
      R"({"time":"2023-11-14T22:13:20.007Z","request_id":"0123456789abcdef01234567",)"
      R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","client":"203.0.113.7",)"
      R"("method":"GET","host":"api.example.com","path":"/v1/projects","route":"read-projects","code":"ok","status":200,)"
      R"("key_id":"key_1","organization_id":"org_1","environment":"live","auth_method":"api_key",)"
      R"("scopes":"projects:read","grants":"projects:*","conditions":"x-beta","source":"memory","age_ms":1234,"generation":3,"bytes_in":5,)"
      R"("bytes_out":18446744073709551615,"duration_ms":1.002,"auth_us":17,"upstream":"app","upstream_ms":0.900})"
      "\n");
}

TEST(AccessJson, LeavesOutWhatIsNotKnown) {
  Outcome outcome;
  outcome.started = a_time;
  outcome.code = "bad_request";
  outcome.status = 400;
  EXPECT_EQ(json_line(outcome),
            R"({"time":"2023-11-14T22:13:20.007Z","code":"bad_request","status":400,"generation":0,"bytes_in":0,)"
            R"("bytes_out":0,"duration_ms":0.000,"auth_us":0})"
            "\n");
}

TEST(AccessJson, SaysTheTimeInUtcWithMilliseconds) {
  Outcome outcome;
  const auto time_of = [&](std::chrono::milliseconds since_epoch) {
    outcome.started = std::chrono::system_clock::time_point(since_epoch);
    return json_line(outcome).substr(9, 24);
  };
  EXPECT_EQ(time_of(0ms), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(time_of(951'782'399'999ms), "2000-02-28T23:59:59.999Z");
  EXPECT_EQ(time_of(951'782'400'000ms), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(time_of(951'782'400'050ms), "2000-02-29T00:00:00.050Z") << "the second is remembered, the fraction is not";
  EXPECT_EQ(time_of(4'102'444'799'999ms), "2099-12-31T23:59:59.999Z");
}

TEST(AccessJson, AppendsToTheLinesBefore) {
  std::string lines = "before\n";
  append_json(lines, full_outcome());
  append_json(lines, full_outcome());
  EXPECT_EQ(lines, "before\n" + json_line(full_outcome()) + json_line(full_outcome()));
}

TEST(AccessJson, H13_IsOneValidLineWhateverAClientSends) {
  std::string every_byte;
  for (int c = 0; c < 256; ++c) every_byte += static_cast<char>(c);
  for (const std::string& hostile :
       {"a\" \n{\"level\":\"error\"}"s, "\"}\n{\"code\":\"ok\"}"s, "\\"s, "\\\""s, "\\u0022"s, "\x1b[2J\x1b[1;31m"s,
        "\r\n\r\n"s, "\xff\xfe"s, "\xc3\x28"s, "\xed\xa0\x80"s, "\xc2\x9b[2J"s, "\0\0"s, "\x7f"s, "</script>"s,
        every_byte, std::string(2'000, '"'), std::string(2'000, '\x01')}) {
    const std::string line = json_line(filled_with(hostile));
    expect_one_plain_line(line);
    const auto parsed = boost::json::parse(line).as_object();
    // Latin-1, so that each byte can be read back.
    const auto& path = parsed.at("path").as_string();
    EXPECT_LE(path.size(), 2U * 512U);
    EXPECT_EQ(parsed.at("status").as_int64(), 0) << "no member was forged";
    EXPECT_EQ(parsed.size(), std::size(texts) + 7U);
  }
}

TEST(AccessJson, H13_KeepsThePlainPartOfAHostileValueReadable) {
  Outcome outcome;
  outcome.path = "/a\"b\\c\nd\xe9";
  EXPECT_NE(json_line(outcome).find(R"("path":"/a\"b\\c\u000ad\u00e9")"), std::string::npos) << json_line(outcome);
}

TEST(AccessJson, H13_CutsEachFieldAt512Bytes) {
  for (const auto member : texts) {
    Outcome outcome;
    const std::string exact(512, 'x'), over(513, 'x');
    outcome.*member = exact;
    const std::string at_the_limit = json_line(outcome);
    outcome.*member = over;
    EXPECT_EQ(json_line(outcome), at_the_limit);
    EXPECT_NE(at_the_limit.find('"' + exact + '"'), std::string::npos);
  }
}

TEST(AccessProperty, ALineIsValidJsonOfOneLine) {
  std::mt19937 random(20'250'618);
  for (int round = 0; round < 2'000; ++round) {
    std::string value(std::uniform_int_distribution<std::size_t>(1, 600)(random), 'x');
    for (char& c : value) c = static_cast<char>(std::uniform_int_distribution<int>(0, 255)(random));
    const std::string line = json_line(filled_with(value));
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    boost::json::error_code error;
    boost::json::parse(line, error);
    ASSERT_FALSE(error) << ::testing::PrintToString(value);
  }
}

// --- Text
// ---------------------------------------------------------------------------------------------------------------------

TEST(AccessText, IsOneReadableLine) {
  EXPECT_EQ(text_line(full_outcome()),
            "200 GET /v1/projects  ok  route=read-projects  key=key_1  org=org_1  1.002ms\n");
  Outcome nothing;
  nothing.code = "bad_request";
  nothing.status = 400;
  EXPECT_EQ(text_line(nothing), "400 - -  bad_request  0.000ms\n");
}

TEST(AccessText, SaysWhatWouldHaveToChange) {
  Outcome outcome = full_outcome();
  outcome.status = 403;
  outcome.code = "insufficient_scope";
  outcome.required_scopes = "projects:read projects:write";
  EXPECT_NE(text_line(outcome).find("needs projects:read projects:write; key has projects:read"), std::string::npos);
  outcome.scopes = "";
  EXPECT_NE(text_line(outcome).find("needs projects:read projects:write; key has none"), std::string::npos);
}

TEST(AccessText, SaysARemedyInPlaceOfItsOwnWords) {
  Outcome outcome = full_outcome();
  outcome.status = 403;
  outcome.code = "insufficient_scope";
  outcome.required_scopes = "projects:write";
  outcome.remedy = "needs projects:write; the key holds projects:read";
  EXPECT_EQ(text_line(outcome),
            "403 GET /v1/projects  insufficient_scope  route=read-projects  key=key_1  org=org_1  "
            "needs projects:write; the key holds projects:read  1.002ms\n");
  EXPECT_EQ(json_line(outcome).find("holds"), std::string::npos) << "it is for people";
  outcome.remedy = "send \"Authorization: Bearer <key>\", not a\\b\x1b\xe9";
  EXPECT_NE(text_line(outcome).find(R"(  send "Authorization: Bearer <key>", not a\b\u001b\u00e9  )"),
            std::string::npos)
      << text_line(outcome);
}

TEST(AccessText, HasColourOnlyWhereItIsAskedFor) {
  Outcome outcome = full_outcome();
  EXPECT_TRUE(text_line(outcome, AccessFormat::colour).starts_with("\x1b[32m200\x1b[0m GET"));
  outcome.status = 404;
  EXPECT_TRUE(text_line(outcome, AccessFormat::colour).starts_with("\x1b[33m404\x1b[0m"));
  outcome.status = 502;
  EXPECT_TRUE(text_line(outcome, AccessFormat::colour).starts_with("\x1b[31m502\x1b[0m"));
  outcome.status = 0;
  EXPECT_TRUE(text_line(outcome, AccessFormat::colour).starts_with("\x1b[31m000\x1b[0m")) << "nothing was sent";
  EXPECT_EQ(text_line(outcome).find('\x1b'), std::string::npos);
}

TEST(AccessText, H13_NeverShowsAControlByteOfTheRequest) {
  std::string every_byte;
  for (int c = 0; c < 256; ++c) every_byte += static_cast<char>(c);
  for (const std::string& hostile : {every_byte, "\x1b]0;owned\x07\n200 GET /fake  ok"s, "\xc2\x9b[2J"s}) {
    Outcome outcome = filled_with(hostile);
    outcome.code = "ok";  // of the table
    outcome.required_scopes = hostile;
    expect_one_plain_line(text_line(outcome));
    outcome.remedy = hostile;
    expect_one_plain_line(text_line(outcome));
    const std::string coloured = text_line(outcome, AccessFormat::colour);
    EXPECT_EQ(std::ranges::count(coloured, '\x1b'), 6) << "ours: of the status, the names and the remedy";
  }
}

}  // namespace
}  // namespace keygate::telemetry
