#include "config/cases.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace keygate::config {
namespace {

using testing::HasSubstr;

CaseTable table_of(const std::string& yaml) { return read_cases(yaml, "cases.yaml"); }

std::string faults(const std::string& yaml) {
  std::string all;
  for (const Problem& problem : table_of(yaml).problems) all += render(problem) + "\n";
  return all;
}

TEST(Cases, AreReadWithWhoAsksAndWhatIsExpected) {
  const CaseTable table = table_of(
      "cases:\n"
      "  - name: one\n"
      "    request: GET http://h/p?q=a\n"
      "    headers: {X-Beta: \"true\"}\n"
      "    from: 10.0.0.1\n"
      "    key: {scopes: [a:b, c:d], organization: acme, user: u, key_id: k, environment: test}\n"
      "    expect: {route: r, upstream: u, headers: {X-Org-Id: acme, Cookie: null}}\n"
      "  - {request: POST /x, key: revoked, expect: {status: 401, code: revoked_key}}\n"
      "  - {request: POST /x, session: {user: u}, expect: {code: ok}}\n"
      "  - {request: POST /x, admin: root, expect: {code: ok}}\n");
  EXPECT_TRUE(table.problems.empty()) << render(table.problems.front());
  ASSERT_EQ(table.cases.size(), 4U);
  const PolicyCase& one = table.cases[0];
  EXPECT_EQ(one.where.line, 2);
  EXPECT_EQ(one.method + one.url + one.from, "GEThttp://h/p?q=a10.0.0.1");
  EXPECT_EQ(one.headers.at(0).second, "true");
  EXPECT_EQ(one.caller.kind, CaseCaller::Kind::key);
  EXPECT_EQ(one.caller.scopes->size(), 2U);
  EXPECT_EQ(one.caller.environment, Environment::test);
  EXPECT_EQ(one.expected.headers.at(0).second, "acme");
  EXPECT_EQ(one.expected.headers.at(1).second, std::nullopt);
  EXPECT_EQ(table.cases[1].caller.state, CaseCaller::State::revoked);
  EXPECT_EQ(table.cases[1].expected.status, 401);
  EXPECT_EQ(table.cases[2].caller.kind, CaseCaller::Kind::session);
  EXPECT_EQ(table.cases[3].caller.admin, "root");
}

TEST(Cases, AFaultNamesItsPlaceAndWhatWouldDo) {
  EXPECT_THAT(faults("cases:\n  - {request: GET, expect: {code: ok}}\n"),
              HasSubstr(":2:15: cases[0].request: \"GET\" is no request; write a method and a path"));
  EXPECT_THAT(faults("cases:\n  - {request: GET /x, expects: {code: ok}}\n"), HasSubstr("did you mean \"expect\"?"));
  EXPECT_THAT(faults("cases:\n  - {request: GET /x, expect: {}}\n"), HasSubstr("nothing is expected"));
  EXPECT_THAT(faults("cases:\n  - {request: GET /x, key: revokd, expect: {code: ok}}\n"),
              HasSubstr("did you mean \"revoked\"?"));
  EXPECT_THAT(faults("cases:\n  - {request: GET /x, key: revoked, admin: a, expect: {code: ok}}\n"),
              HasSubstr("there is one caller"));
  EXPECT_THAT(faults("cases:\n  - {request: GET /x, expect: {status: 200, code: ok}}\n"),
              HasSubstr("a grant has the status that the upstream gives it"));
  EXPECT_THAT(faults("cases:\n  - {request: GET /x, expect: {code: no_route, upstream: u}}\n"),
              HasSubstr("what is denied goes to no upstream"));
  EXPECT_THAT(faults("cases: []\n"), HasSubstr("the list is empty"));
  EXPECT_THAT(render(load_cases("/nowhere/cases.yaml").problems.at(0)), HasSubstr("/nowhere/cases.yaml"));
}

}  // namespace
}  // namespace keygate::config
