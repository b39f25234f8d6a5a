// Path confusion under `paths` (docs/threats.md): whatever is put in one form is judged and sent in that form.
#include "tests/support/scenario.hpp"
#include "tests/support/shipped_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keygate::test {
namespace {

using ::testing::HasSubstr;

const Denial missing{401, "missing_credential", Ending::any};
const Denial lacks_scope{403, "insufficient_scope", Ending::any};
const Denial no_route{403, "no_route", Ending::any};
const Denial ambiguous{400, "ambiguous_path", Ending::closed};

class RelaxedPaths : public Scenario {
 protected:
  void start_with(const std::string& paths) { start({.more = "paths: {" + paths + "}\n"}); }

  // Asked with a key that may read /v1, and without.
  void expect_admin(std::string_view target) {
    expect_denied(request_to(target), missing);
    expect_denied(request_to(target, k1.bearer()), lacks_scope);
    EXPECT_EQ(expect_granted(request_to(target, ka.bearer())).target.substr(0, 6), "/admin") << target;
  }
  std::string sent(std::string_view target) { return expect_granted(request_to(target, k1.bearer())).target; }
  void expect_ambiguous(std::initializer_list<std::string_view> targets) {
    for (const std::string_view target : targets) expect_denied(request_to(target, ka.bearer()), ambiguous);
  }
};

TEST_F(RelaxedPaths, P01_P02_ResolvedDotsAreJudgedAndSentAsWhatTheyComeTo) {
  start_with("dot_segments: resolve");
  for (const char* target : {"/public/../admin", "/public/./../admin/", "/public/%2e%2e/admin", "/public/.%2e/admin/x",
                             "/public/x/%2E./../admin"}) {
    expect_admin(target);
  }
  EXPECT_EQ(sent("/public/../v1/a/./b?x=/../y"), "/v1/a/b?x=/../y");
  EXPECT_EQ(sent("/v1/a/.."), "/v1/");
  expect_ambiguous({"/..", "/../admin", "/public/../../admin", "/public/%2e%2e/%2e%2e/admin", "/public//../admin",
                    "/public/..;/admin", "/public/..%2fadmin", "/public/%252e%252e/admin",
                    "/public/%c0%ae%c0%ae/admin"});
}

TEST_F(RelaxedPaths, P04_MergedSlashesAreJudgedAndSentAsOne) {
  start_with("repeated_slashes: merge");
  for (const char* target : {"//admin", "///admin//x", "//admin//"}) expect_admin(target);
  EXPECT_EQ(sent("//v1///a//?b//c"), "/v1/a/?b//c");
  expect_denied(request_to("//"), no_route);
  expect_ambiguous({"/public//../admin", "/public/%2f/admin", "/public//..;/admin"});
}

TEST_F(RelaxedPaths, P03_AnEscapedSlashIsNoSlash) {
  start_with("encoded_slash: opaque");
  EXPECT_EQ(sent("/v1/a%2fb"), "/v1/a%2Fb");
  EXPECT_EQ(sent("/v1/https%3a%2F%2Fa.example%2f"), "/v1/https%3A%2F%2Fa.example%2F");
  for (const char* target : {"/v1%2fadmin", "/public%2fx", "/admin%2Fx", "/%2fadmin", "/%2Fv1/a"}) {
    expect_denied(request_to(target, ka.bearer()), no_route);
  }
  expect_ambiguous({"/public%2f..%2fadmin", "/public/x%2f..%2f..%2fadmin", "/public/%2e%2e%2fadmin", "/v1%252fadmin",
                    "/v1/a%5cb", "/v1/a%00", "/v1/a%3bb", "/v1/a%3fb", "/v1/a%23b"});
}

TEST_F(RelaxedPaths, P05_ASemicolonIsContentAndNothingIsCutOff) {
  start_with("semicolon: allow");
  EXPECT_EQ(sent("/v1/map;v=1/a;b?c;d"), "/v1/map;v=1/a;b?c;d");
  for (const char* target : {"/admin;x", "/admin;/x", "/public;x/y", "/v1;a=b"}) {
    expect_denied(request_to(target, ka.bearer()), no_route);
  }
  expect_ambiguous(
      {"/public/..;/admin", "/public/..;a=b/admin", "/;/admin", "/public/.;/admin", "/public/%2e%2e;/admin"});
}

TEST_F(RelaxedPaths, P17_WhatIsSentIsItsOwnForm) {
  start_with("encoded_slash: opaque, repeated_slashes: merge, dot_segments: resolve, semicolon: allow");
  const std::vector<std::pair<std::string, std::string>> rows{
      {"//v1//a%2fb/../c;d/./e//?f;g//../h", "/v1/c;d/e/?f;g//../h"},
      {"/v1/%2F/x/..", "/v1/%2F/"},
      {"/public//..//v1/%61", "/v1/a"},
  };
  for (const auto& [target, form] : rows) {
    EXPECT_EQ(sent(target), form);
    EXPECT_EQ(sent(form), form);
  }
}

TEST_F(RelaxedPaths, AreExplainedAndTestedAsTheyAreServed) {
  start_with("repeated_slashes: merge, dot_segments: resolve");
  const Finished said =
      run({{keygate_binary(), "explain", "-c", keygate.config_file(), "GET", "//v1/a/../b", "--scopes", "v1:read"},
           {},
           "",
           ""});
  EXPECT_THAT(said.output, HasSubstr("path          /v1/b\n"
                                     "              slashes in a row became one (paths.repeated_slashes: merge)\n"
                                     "              dot segments were resolved (paths.dot_segments: resolve)\n"));
  EXPECT_THAT(said.output, HasSubstr("forwarded  GET /v1/b\n"));
  EXPECT_EQ(sent("//v1/a/../b"), "/v1/b");

  const std::string cases = keygate.directory().write(
      "cases.yaml",
      "cases:\n"
      "  - {request: GET //v1/a/../b, key: {scopes: v1:read}, expect: {route: v1, path: /v1/b}}\n"
      "  - {request: GET /public/../admin, expect: {code: missing_credential, route: admin, path: /admin}}\n"
      "  - {request: GET /public/../../admin, expect: {code: ambiguous_path}}\n"
      "  - {request: GET /v1//a, key: {scopes: v1:read}, expect: {path: /v1//a}}\n");
  const Finished tested = run({{keygate_binary(), "test", "-c", keygate.config_file(), cases}, {}, "", ""});
  EXPECT_EQ(tested.status.code, 1);
  EXPECT_THAT(tested.output, HasSubstr("GET /v1//a: path is /v1/a, not /v1//a\n1 of 4 cases failed"));
}

TEST_F(RelaxedPaths, P03_P05_NobodyPassesWhereAnotherReadingHasAStricterRoute) {
  start({.policy = R"(version: 1
scopes: {admin: Administration}
routes:
  - {name: page, match: {path: "/{page}"}, anonymous: true}
  - {name: admin, match: {path: /admin}, require: {scopes: admin}}
  - {name: preview, match: {path: "/users/{page}", headers: {x-preview: "true"}}, anonymous: true}
  - {name: user, match: {path: "/users/{id}/secrets"}, require: {scopes: admin}}
)",
         .more = "paths: {encoded_slash: opaque, semicolon: allow}\n"});
  EXPECT_EQ(expect_granted(request_to("/a%2fb;c")).target, "/a%2Fb;c");
  expect_denied(request_to("/%2Fadmin"), ambiguous);
  expect_denied(request_to("/admin;a=b"), ambiguous);
  const std::string shown = "GET /users/7%2Fsecrets HTTP/1.1\r\nHost: a\r\nX-Preview: true\r\n\r\n";
  expect_denied(shown, ambiguous);

  const Finished said =
      run({{keygate_binary(), "explain", "-c", keygate.config_file(), "GET", "/admin;a=b", "--anonymous"}, {}, "", ""});
  EXPECT_EQ(said.status.code, 1);
  EXPECT_THAT(said.output, HasSubstr("denied: 400 ambiguous_path"));
  EXPECT_THAT(said.output, HasSubstr("takes it for \"/admin\", for which the route \"admin\" asks more"));
}

}  // namespace
}  // namespace keygate::test
