// `keygate test` says of a table what a running keygate would do, and fails where that is not what was expected.
#include "tests/support/scenario.hpp"
#include "tests/support/shipped_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keygate::test {
namespace {

namespace json = boost::json;

using ::testing::HasSubstr;
using ::testing::Not;

class PolicyTest : public Scenario {
 protected:
  Finished test(const std::string& cases, std::vector<std::string> more = {}) {
    std::vector<std::string> argv{keygate_binary(), "test", "-c", keygate.config_file(),
                                  keygate.directory().write("cases.yaml", "cases:\n" + cases)};
    argv.insert(argv.end(), more.begin(), more.end());
    return run({argv, {}, "", ""});
  }
};

TEST_F(PolicyTest, WhatItSaysIsWhatARunningProxyDoes) {
  start();
  const Finished finished = test(
      "  - {request: GET /v1/x, key: {scopes: v1:read, organization: org_1}, expect: {route: v1, upstream: default}}\n"
      "  - {request: GET /admin/x, key: {scopes: v1:read}, expect: {status: 403, code: insufficient_scope}}\n"
      "  - {request: GET /v1/x, key: revoked, expect: {status: 401, code: revoked_key}}\n"
      "  - {request: GET /v1/x, expect: {status: 401, code: missing_credential}}\n"
      "  - {request: GET /none, key: {scopes: \"*\"}, expect: {status: 403, code: no_route}}\n"
      "  - {request: \"GET /v1/%2e%2e/admin\", key: {scopes: \"*\"}, expect: {status: 400, code: ambiguous_path}}\n"
      "  - {request: TRACE /v1/x, expect: {status: 405, code: method_not_allowed}}\n");
  EXPECT_EQ(finished.status.code, 0) << finished.output << finished.errors;
  EXPECT_EQ(finished.output, "7 cases, all as expected\n");
  EXPECT_EQ(expect_granted(request_to("/v1/x", k1.bearer())).fields["x-org-id"], "org_1");
  EXPECT_EQ(ask(request_to("/admin/x", k1.bearer())).status, 403);
  expect_problem(ask(request_to("/v1/x", kr.bearer())), 401, "revoked_key");
  expect_problem(ask(request_to("/v1/x")), 401, "missing_credential");
  expect_problem(ask(request_to("/none", k1.bearer())), 403, "no_route");
  expect_problem(ask(request_to("/v1/%2e%2e/admin", k1.bearer())), 400, "ambiguous_path");
  expect_problem(ask(request_to("/v1/x", "", "TRACE")), 405, "method_not_allowed");
}

TEST_F(PolicyTest, WhatTheUpstreamIsSentIsCompared) {
  keygate.write_files({.upstream_port = 1});
  const Finished finished = test(
      "  - request: GET http://api.local/v1/x\n"
      "    headers: {X-Org-Id: other, X-Kept: a b}\n"
      "    key: {scopes: v1:read, organization: acme}\n"
      "    expect: {headers: {X-Org-Id: acme, x-kept: a b, Authorization: null, Host: api.local, X-None: null}}\n");
  EXPECT_EQ(finished.status.code, 0) << finished.output << finished.errors;
  const Finished other = test(
      "  - request: GET /v1/x\n"
      "    key: {scopes: v1:read, organization: acme}\n"
      "    expect: {headers: {X-Org-Id: null, X-Auth-Method: session, X-None: b}}\n");
  EXPECT_EQ(other.status.code, 1);
  EXPECT_THAT(other.output,
              HasSubstr("X-Org-Id is \"acme\", not absent; X-Auth-Method is \"api_key\", not \"session\"; "
                        "X-None is absent, not \"b\"\n1 of 1 case failed\n"));
}

TEST_F(PolicyTest, AFailureIsOneLineWithItsPlaceAndWhatItWouldTake) {
  keygate.write_files({.upstream_port = 1});
  const std::string cases =
      "  - {name: deletes, request: GET /admin/x, key: {scopes: v1:read}, expect: {route: v1}}\n"
      "  - {request: GET /v1/x, key: {scopes: v1:read}, expect: {status: 403}}\n";
  const Finished finished = test(cases);
  EXPECT_EQ(finished.status.code, 1);
  EXPECT_THAT(finished.output, HasSubstr("cases.yaml:2:5: deletes: GET /admin/x: code is insufficient_scope ("));
  EXPECT_THAT(finished.output, HasSubstr("), not ok; route is admin ("));
  EXPECT_THAT(finished.output,
              HasSubstr("cases.yaml:3:5: GET /v1/x: status is the upstream's, not 403\n2 of 2 cases failed"));

  const std::string junit = keygate.directory() / "results.xml";
  const Finished again = test(cases, {"--json", "--junit", junit});
  const json::object told = json::parse(again.output).as_object();
  EXPECT_EQ(told.at("failed").as_int64(), 2);
  EXPECT_EQ(told.at("cases").as_array().at(0).as_object().at("code").as_string(), "insufficient_scope");
  const std::string xml = read_file(junit);
  EXPECT_THAT(xml, HasSubstr("<testsuites tests=\"2\" failures=\"2\">"));
  EXPECT_THAT(xml, HasSubstr(" name=\"deletes: GET /admin/x\" "));
  EXPECT_EQ(
      run({{"python3", "-c", "import sys, xml.dom.minidom as m; m.parse(sys.argv[1])", junit}, {}, "", ""}).status.code,
      0)
      << xml;
}

TEST_F(PolicyTest, WhatThereIsNotIsAFaultOfTheTable) {
  keygate.write_files({.upstream_port = 1});
  const auto faults_in = [&](const std::string& one) {
    const Finished finished = test("  - {request: GET /v1/x, " + one + "}\n");
    EXPECT_EQ(finished.status.code, 2) << finished.output;
    EXPECT_EQ(finished.output, "");
    return finished.errors;
  };
  EXPECT_THAT(faults_in("expect: {route: admn}"), HasSubstr("there is no route \"admn\"; did you mean \"admin\"?"));
  EXPECT_THAT(faults_in("expect: {code: insufficient_scop}"), HasSubstr("did you mean \"insufficient_scope\"?"));
  EXPECT_THAT(faults_in("expect: {upstream: defualt}"), HasSubstr("did you mean \"default\"?"));
  EXPECT_THAT(faults_in("admin: root, expect: {code: ok}"), HasSubstr("cases.yaml:2:5: "));
  EXPECT_THAT(faults_in("key: {scopes: \"a b\"}, expect: {code: ok}"), HasSubstr("is not a scope name"));
  EXPECT_THAT(faults_in("from: nowhere, expect: {code: ok}"), HasSubstr("\"nowhere\" is no address"));
  EXPECT_THAT(faults_in("headers: {Authorization: \"Bearer kg_abcdefghijklmnopqrstuvwxyz012\"}, expect: {code: ok}"),
              HasSubstr("say whose it is with \"key\""));
}

// A page of http is another origin to one of https; and the upstream is told which it was.
TEST_F(PolicyTest, AUrlOfHttpsIsAskedOverTls) {
  keygate.write_files({.upstream_port = 1});
  const Finished finished = test(
      "  - {request: GET https://api.local/v1/x, key: {scopes: v1:read}, expect: {headers: {X-Forwarded-Proto: "
      "https}}}\n"
      "  - {request: GET http://api.local/v1/x, key: {scopes: v1:read}, expect: {headers: {X-Forwarded-Proto: "
      "http}}}\n");
  EXPECT_EQ(finished.status.code, 0) << finished.output << finished.errors;
}

// No file but these is needed: no secret, no store, no certificate.
TEST(ShippedCases, AreAsTheExamplesSay) {
  for (const std::string example : {"rekall", "recursiv"}) {
    const std::string folder = (source_folder() / "config/examples" / example).string();
    const Finished finished = run({{keygate_binary(), "test", "-c", folder + "/keygate.yaml", folder + "/cases.yaml"},
                                   {"DISPATCHER_API_KEY=dispatcher-secret-0123456789abcdef"},
                                   "",
                                   ""});
    EXPECT_EQ(finished.status.code, 0) << example << ": " << finished.output << finished.errors;
    EXPECT_THAT(finished.output, HasSubstr("all as expected"));
  }
}

}  // namespace
}  // namespace keygate::test
