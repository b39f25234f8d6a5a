#include "app/replay.hpp"

#include "tests/unit/app/reading_policies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace keygate::app {
namespace {

using ::testing::IsEmpty;

constexpr const char* policy = R"(scopes: {a:read: R, a:write: W, b:read: B}
routes:
  - {name: read, match: {methods: [GET], path: "/a/{x}"}, require: {scopes: a:read}}
  - {name: write, match: {methods: [PUT], path: "/a/{x}"}, require: {scopes: a:write, credentials: [api_key, session]}}
  - {name: org, match: {path: "/o/{org}"}, require: {scopes: b:read, organization: "{org}"}}
  - {name: beta, match: {methods: [GET], path: /h, headers: {x-beta: "1"}}, anonymous: true}
  - {name: plain, match: {methods: [GET], path: /h}, require: {scopes: a:read}}
  - {name: open, match: {methods: [GET], path: /open}, anonymous: true}
  - {name: mtls, match: {path: /m}, require: {scopes: a:read, client_subject: "CN=a"}}
  - {name: over, match: {path: /s}, require: {scopes: b:read}, mode: shadow, until: 2026-11-30}
)";

std::string line(const std::string& method, const std::string& path, const std::string& code,
                 const std::string& more = "") {
  return R"({"time":"2026-11-22T03:57:59.282Z","client":"127.0.0.1","method":")" + method + R"(","host":"h","path":")" +
         path + R"(","code":")" + code + R"(","status":200)" + more + "}";
}

const std::string reader = R"(,"key_id":"k","organization_id":"acme","auth_method":"api_key","scopes":"a:read")";

class Replays : public ::testing::Test {
 protected:
  Replayed replayed(const std::vector<std::string>& lines) {
    Replay replay(snapshot_, 1'800'000'000);
    for (const std::string& one : lines) replay.add(one, "log", ++number_);
    return std::move(replay).result();
  }

  // What becomes of one line: "same", "moved to ROUTE", "CODE by ROUTE", why not, "broken" or "not judged".
  std::string fate(const std::string& one) {
    const Replayed result = replayed({one});
    EXPECT_EQ(result.lines, 1U);
    if (result.broken > 0) return "broken";
    if (result.not_judged > 0) return "not judged";
    for (std::size_t i = 0; i < unknowns; ++i) {
      if (result.cannot_tell[i] > 0) return std::string(to_string(static_cast<Unknown>(i)));
    }
    if (!result.moved.empty()) return "moved to " + result.moved[0].after.route;
    if (result.same > 0) return "same";
    return result.differences[0].after.code + " by " + result.differences[0].after.route;
  }

 private:
  const std::shared_ptr<const config::Settings> settings_ = std::make_shared<config::Settings>(settings_of(policy));
  const proxy::Snapshot snapshot_{1, settings_, policy_of(*settings_)};
  std::uint64_t number_ = 0;
};

TEST_F(Replays, WhatThePolicyDecidesAlikeIsNoDifference) {
  EXPECT_EQ(fate(line("GET", "/a/1", "ok", reader + R"(,"route":"read","upstream":"app")")), "same");
  EXPECT_EQ(fate(line("GET", "/a/1", "upstream_timeout", reader + R"(,"route":"read","upstream":"app")")), "same");
  EXPECT_EQ(fate(line("PUT", "/a/1", "insufficient_scope", reader + R"(,"route":"write")")), "same");
  EXPECT_EQ(fate(line("GET", "/a/1", "missing_credential", R"(,"route":"read")")), "same");
  EXPECT_EQ(fate(line("GET", "/a/1", "revoked_key", R"(,"route":"read","auth_method":"api_key")")), "same");
  EXPECT_EQ(fate(line("GET", "/a/1", "malformed_key", R"(,"route":"read")")), "same");
  EXPECT_EQ(fate(line("GET", "/a/1", "key_service_unavailable", R"(,"route":"read","auth_method":"api_key")")), "same");
  EXPECT_EQ(fate(line("GET", "/none", "no_route")), "same");
  EXPECT_EQ(fate(line("GET", "/open", "ok", R"(,"route":"open","auth_method":"anonymous","upstream":"app")")), "same");
  EXPECT_EQ(fate(line("GET", "/o/acme", "insufficient_scope", reader + R"(,"route":"org")")), "same");
}

TEST_F(Replays, WhatItDecidesInAnotherWayIsOne) {
  EXPECT_EQ(fate(line("PUT", "/a/1", "ok", reader + R"(,"route":"write","upstream":"app")")),
            "insufficient_scope by write");
  EXPECT_EQ(fate(line("GET", "/gone", "ok", reader + R"(,"route":"gone","upstream":"app")")), "no_route by ");
  EXPECT_EQ(fate(line("GET", "/a/1", "insufficient_scope", reader + R"(,"route":"read")")), "ok by read");
  EXPECT_EQ(fate(line("GET", "/open", "missing_credential", R"(,"route":"open")")), "ok by open");
  EXPECT_EQ(fate(line("GET", "/open", "no_route")), "ok by open");
  EXPECT_EQ(fate(line("GET", "/o/globex", "ok",
                      R"(,"organization_id":"acme","auth_method":"api_key","scopes":"b:read","upstream":"app")")),
            "wrong_organization by org");
  EXPECT_EQ(fate(line("GET", "/a/1", "ok", R"(,"auth_method":"session","scopes":"a:read","upstream":"app")")),
            "credential_not_accepted by read");
  EXPECT_EQ(fate(line("GET", "/a/1", "ok", reader + R"(,"route":"read","upstream":"other")")), "ok by read");
  EXPECT_EQ(fate(line("GET", "/a/1", "ok", reader + R"(,"route":"read-items","upstream":"app")")), "moved to read");
}

TEST_F(Replays, WhatShadowModeLetThroughIsWhatItWouldHaveRefused) {
  const std::string key =
      R"(,"auth_method":"api_key","scopes":"a:read","upstream":"app","route":"read","shadow_code":)";
  EXPECT_EQ(fate(line("GET", "/a/1", "ok", key + R"("revoked_key")")), "revoked_key by read");
  EXPECT_EQ(fate(line("GET", "/a/1", "ok", R"(,"upstream":"app","route":"read","shadow_code":"missing_credential")")),
            "missing_credential by read");
  EXPECT_EQ(fate(line("GET", "/s", "ok", reader + R"(,"route":"over","upstream":"app")")), "insufficient_scope by over")
      << "it is over";
}

TEST_F(Replays, ACertificateIsTheOneThatWasShown) {
  EXPECT_EQ(fate(line("GET", "/m", "ok", reader + R"(,"route":"mtls","upstream":"app","client_subject":"CN=a")")),
            "same");
  EXPECT_EQ(fate(line("GET", "/m", "ok", reader + R"(,"route":"mtls","upstream":"app","client_subject":"CN=b")")),
            "certificate_not_accepted by mtls");
  EXPECT_EQ(fate(line("GET", "/open", "certificate_not_accepted", R"(,"route":"open")")), "ok by open");
}

TEST_F(Replays, GrantsSpeakForAnotherCatalogue) {
  const std::string held = R"(,"key_id":"k","auth_method":"api_key","upstream":"app","route":"write")";
  EXPECT_EQ(fate(line("PUT", "/a/1", "ok", held + R"(,"scopes":"a:read a:write","grants":"a:*")")), "same");
  EXPECT_EQ(fate(line("PUT", "/a/1", "ok", held + R"(,"scopes":"a:write all","grants":"all")")),
            "insufficient_scope by write");
}

TEST_F(Replays, WhatTheLogCannotAnswerIsCountedWithWhy) {
  EXPECT_EQ(fate(line("GET", "/h", "ok", R"(,"auth_method":"anonymous","upstream":"app")")),
            "no credential was looked for then, and one is needed now");
  EXPECT_EQ(fate(line("GET", "/h", "missing_credential", R"(,"route":"plain")")),
            "it depends on headers, which are not logged");
  EXPECT_EQ(fate(line("GET", "/a/1", "no_route")), "no credential was looked for then, and one is needed now");
  EXPECT_EQ(fate(line("PUT", "/a/1", "malformed_key")), "it depends on whether what was presented is a session");
  EXPECT_EQ(fate(line("PUT", "/a/1", "credential_not_accepted", R"(,"auth_method":"session","scopes":"a:write")")),
            "it depends on where the session's request came from");
  EXPECT_EQ(fate(line("GET", "/a/" + std::string(600, 'x'), "ok", reader)), "a field is longer than the log keeps");
  EXPECT_EQ(fate(line("GET", "/a//b", "ok", reader)), "ambiguous_path by ");
  EXPECT_EQ(fate(line("OPTIONS", "/a/1", "ok", R"(,"route":"read")")), "it depends on headers, which are not logged");
}

TEST_F(Replays, WhatNoPolicyHasASayInIsLeftAlone) {
  EXPECT_EQ(fate(line("GET", "/a/1", "body_too_large")), "not judged");
  EXPECT_EQ(fate(R"({"client":"127.0.0.1","code":"bad_request","status":400})"), "not judged");
  EXPECT_EQ(fate(line("OPTIONS", "", "ok")), "not judged");
  EXPECT_EQ(fate(line("GET", "/a/1", "code_of_tomorrow")), "not judged");
}

TEST_F(Replays, BrokenLinesAreCounted) {
  for (const char* broken :
       {"{", "[]", "null", "\"a\"", "GET /a 200", "{\"code\":1}", "{\"code\":\"ok\",\"code\":\"ok\"}", "\xff\xfe",
        "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":1}}}}}"}) {
    EXPECT_EQ(fate(broken), "broken") << broken;
  }
  const std::string whole = line("GET", "/a/1", "ok", reader + R"(,"route":"read","upstream":"app")");
  for (std::size_t size = 1; size < whole.size(); ++size) EXPECT_EQ(fate(whole.substr(0, size)), "broken") << size;
}

TEST_F(Replays, AnyBytesAreALine) {
  std::mt19937 random(3);
  const std::string whole = line("GET", "/a/1", "ok", reader + R"(,"route":"read","upstream":"app")");
  std::vector<std::string> lines;
  for (int i = 0; i < 5'000; ++i) {
    std::string one = whole;
    for (int edits = 0; edits < 3; ++edits) one[random() % one.size()] = static_cast<char>(random());
    lines.push_back(std::move(one));
  }
  EXPECT_EQ(replayed(lines).lines, 5'000U);
}

TEST_F(Replays, DifferencesAreGroupedAndTheirNumberIsBounded) {
  std::vector<std::string> lines;
  for (int i = 0; i < 3; ++i)
    lines.push_back(line("PUT", "/a/" + std::to_string(i), "ok", reader + R"(,"route":"write","upstream":"app")"));
  const Replayed few = replayed(lines);
  ASSERT_EQ(few.differences.size(), 1U);
  EXPECT_EQ(few.differences[0].count, 3U);
  EXPECT_EQ(few.differences[0].path + " " + few.differences[0].place, "/a/0 log:1");
  EXPECT_THAT(few.moved, IsEmpty());
  lines.clear();
  for (std::size_t i = 0; i < Replay::max_groups + 5; ++i) {
    lines.push_back(line("PUT", "/a/1", "ok", reader + R"(,"upstream":"app","route":"r)" + std::to_string(i) + '"'));
  }
  const Replayed many = replayed(lines);
  EXPECT_EQ(many.differences.size(), Replay::max_groups);
  EXPECT_EQ(many.ungrouped, 5U);
  EXPECT_EQ(many.different(), Replay::max_groups + 5);
}

}  // namespace
}  // namespace keygate::app
