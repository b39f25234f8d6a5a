// `keygate explain` says what a running keygate with the same files does, and reads and writes nothing else.
#include "tests/support/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

namespace json = boost::json;

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view policy = R"(version: 1
scopes:
  "v1:read": Read
  "v1:write": {description: Write, implies: ["v1:read"]}
  admin: {description: Administration, restricted: true}
routes:
  - name: public
    match: {path: "/public/{rest...}"}
    anonymous: true
  - name: maybe
    match: {path: /maybe}
    require: {credentials: [api_key]}
    optional: true
  - name: read
    match: {methods: [GET], path: "/v1/{rest...}"}
    require: {scopes: "v1:read"}
  - name: write
    match: {methods: [POST], path: "/v1/{rest...}"}
    require: {scopes: "v1:write"}
  - name: beta
    match: {methods: [GET], path: "/v1/beta", headers: {x-beta: "true"}}
    require: {scopes: admin}
  - name: org
    match: {path: "/orgs/{org}/{rest...}"}
    require: {scopes: "v1:read", organization: "{org}"}
    rate_limit: [{limit: 600, window: 1m, per: [key, ip]}, {limit: 9000, window: 24h, per: organization}]
)";

// One request, for the socket and for explain.
struct Asked {
  std::string method = "GET";
  std::string target = "/v1/a";
  std::vector<std::string> headers = {};
  std::string key = {};  // its text; sent as a Bearer token
};

class Explain : public Scenario {
 protected:
  void SetUp() override {
    Config config;
    config.policy = policy;
    start(config);
  }

  Finished explain(const Asked& asked, const std::vector<std::string>& more = {"--json"}) const {
    std::vector<std::string> argv{keygate_binary(),      "explain",    "-c",
                                  keygate.config_file(), asked.method, "http://api.local" + asked.target};
    for (const auto& header : asked.headers) argv.insert(argv.end(), {"-H", header});
    if (!asked.key.empty()) argv.emplace_back("--key-stdin");
    argv.insert(argv.end(), more.begin(), more.end());
    return run({argv, {}, "", asked.key + "\n"});
  }

  std::string head_of(const Asked& asked) const {
    std::string fields;
    for (const auto& header : asked.headers) fields += header + "\r\n";
    if (!asked.key.empty()) fields += "Authorization: Bearer " + asked.key + "\r\n";
    return request_to(asked.target, fields, asked.method);
  }

  // Status and code of both are the same; the exit status goes with them.
  void expect_same(const Asked& asked) {
    SCOPED_TRACE(asked.method + ' ' + asked.target);
    const Finished finished = explain(asked);
    const auto said = json::parse(finished.output).as_object();
    EXPECT_EQ(finished.errors, "");
    EXPECT_FALSE(keygate.is_key_in(finished.output));
    RawClient client = keygate.connect();
    const Response response = client.ask(head_of(asked), asked.method == "HEAD" ? AnswerTo::head : AnswerTo::get);
    EXPECT_EQ(said.at("status").to_number<int>(), response.status);
    EXPECT_EQ(finished.status.code, response.status == 200 ? 0 : 1);
    if (response.status != 200 && asked.method != "HEAD") {
      EXPECT_EQ(text_of(said, "code"), text_of(json::parse(response.body).as_object(), "code"));
    }
  }
};

TEST_F(Explain, AgreesWithTheRunningProxy) {
  const std::string read = keygate.create_key({.scopes = "v1:read"}).text;
  const std::string all = keygate.create_key({.organization = "org_2", .scopes = "*"}).text;
  const std::string unknown = "kg_012345678901234567890123456789012345678901234";
  for (const Asked& asked : std::vector<Asked>{
           {.key = read},
           {.method = "HEAD", .key = read},
           {.method = "POST", .key = read},
           {.method = "POST", .key = all},
           {.method = "DELETE", .key = all},
           {.target = "/v1/beta", .key = all},
           {.target = "/v1/beta", .headers = {"X-Beta: true"}, .key = all},
           {.target = "/v1/beta", .headers = {"X-Beta: true", "X_Beta: true"}, .key = all},
           {.target = "/orgs/org_1/a", .key = all},
           {.target = "/orgs/org_2/a", .key = all},
           {.target = "/orgs/org%5F2/a", .key = all},
           {.key = kr.text},
           {.key = unknown},
           {.key = "short"},
           {},
           {.target = "/maybe"},
           {.target = "/maybe", .key = unknown},
           {.target = "/public/x", .key = "short"},
           {.target = "/nowhere"},
           {.target = "/v1/../public/x"},
           {.target = "/v1/%2e%2e/x"},
           {.target = "/v1/%zz"},
           {.target = "/v1/a;b"},
           {.headers = {"Connection: X-Org-Id"}},
           {.headers = {"Transfer-Encoding: gzip"}},
           {.headers = {"X-Api-Key: " + read}, .key = all},
           {.headers = {"Expect: something"}},
           {.method = "TRACE"},
           {.method = "BREW"},
       }) {
    expect_same(asked);
  }
}

TEST_F(Explain, TheHeadersAreTheOnesThatTheUpstreamGets) {
  const Asked asked{.headers = {"Accept: */*", "X-Org-Id: evil", "X_User_Id: evil", "X-Forwarded-For: 1.2.3.4"},
                    .key = k1.text};
  const auto said = json::parse(explain(asked).output).as_object();
  const auto& forward = said.at("forward").as_object();
  const Request seen = expect_granted(head_of(asked));
  std::vector<std::string> expected{"Host", "Accept"};
  for (const auto& header : forward.at("headers_added").as_array()) {
    const std::string name = text_of(header.as_object(), "name");
    const std::string value = text_of(header.as_object(), "value");
    expected.push_back(name);
    if (name == "X-Request-Id") continue;
    EXPECT_EQ(seen.fields.values(name), std::vector<std::string>{value}) << name;
  }
  EXPECT_EQ(seen.fields.all().size(), expected.size());
  std::vector<std::string> stripped;
  for (const auto& header : forward.at("headers_sent").as_array()) {
    if (text_of(header.as_object(), "result") == "stripped") stripped.push_back(text_of(header.as_object(), "name"));
  }
  EXPECT_THAT(stripped, ::testing::ElementsAre("X-Org-Id", "X_User_Id", "X-Forwarded-For", "Authorization"));
}

TEST_F(Explain, SaysWhatAGrantCountsAgainst) {
  const std::vector<std::string> granted{"--scopes", "v1:read", "--organization", "org_1"};
  const Finished said = explain({.target = "/orgs/org_1/x"}, granted);
  EXPECT_THAT(said.output, HasSubstr("limits        600 in 1m per key and ip\n"
                                     "              9000 in 24h per organization\n"));
  auto in_json = granted;
  in_json.emplace_back("--json");
  const auto object = json::parse(explain({.target = "/orgs/org_1/x"}, in_json).output).as_object();
  EXPECT_EQ(json::serialize(object.at("limits")),
            R"([{"limit":600,"window":"1m","per":["key","ip"],"of":"route"},)"
            R"({"limit":9000,"window":"24h","per":["organization"],"of":"route"}])");
  EXPECT_THAT(explain({.target = "/orgs/org_2/x"}, granted).output, Not(HasSubstr("limits  ")));
}

TEST_F(Explain, ListsEveryRouteInJson) {
  const auto said = json::parse(explain({.method = "DELETE"}).output).as_object();
  const auto& candidates = said.at("candidates").as_array();
  ASSERT_EQ(candidates.size(), 6U);
  EXPECT_EQ(text_of(candidates.front().as_object(), "route"), "read");
  const auto& criteria = candidates.front().at("criteria").as_array();
  EXPECT_EQ(json::serialize(criteria.at(2)).substr(0, 54), R"({"criterion":"method","met":false,"wanted":"GET","file)");
  EXPECT_EQ(text_of(criteria.at(2).as_object(), "line"), "15");
}

TEST_F(Explain, SaysWhoseAKeyIsWithoutShowingIt) {
  const Finished finished = explain({.key = k1.text}, {});
  EXPECT_THAT(finished.output, HasSubstr("API key " + k1.id + " in Authorization: Bearer, organization org_1"));
  EXPECT_FALSE(keygate.is_key_in(finished.output + finished.errors));
  const Finished in_header = explain({.headers = {"X-Api-Key: " + k1.text}}, {"--scopes", "v1:read"});
  EXPECT_EQ(in_header.status.code, 0);
  EXPECT_FALSE(keygate.is_key_in(in_header.output + in_header.errors));
}

TEST_F(Explain, IsPlainWhereNobodyLooks) { EXPECT_THAT(explain({}, {}).output, Not(HasSubstr("\x1b"))); }

class ExplainAlone : public testing::Test {
 protected:
  ExplainAlone() {
    Config config;
    config.upstream_port = 1;
    config.policy = policy;
    keygate.write_files(config);
  }

  Finished explain(std::vector<std::string> arguments, const std::string& input = "\n") const {
    arguments.insert(arguments.begin(), {keygate_binary(), "explain", "-c", keygate.config_file()});
    return run({arguments, {}, "", input});
  }
  void expect_usage(const std::vector<std::string>& arguments, const std::string& says,
                    const std::string& input = "\n") {
    const Finished finished = explain(arguments, input);
    EXPECT_EQ(finished.status.code, 2) << finished.output;
    EXPECT_EQ(finished.output, "");
    EXPECT_THAT(finished.errors, HasSubstr(says));
  }

  Keygate keygate;
};

TEST_F(ExplainAlone, WrongUsageIsNoDenial) {
  expect_usage({"GET"}, "URL");
  expect_usage({"GET", "v1/a"}, "write http://host/path");
  expect_usage({"GET", "/v1/a", "-H", "X-Beta"}, "write NAME: VALUE");
  expect_usage({"GET", "/v1/a", "-H", "X: a\r\n\r\nGET /admin HTTP/1.1"}, "one header each");
  expect_usage({"GET", "/v1/a", "--scopes", "V1"}, "\"V1\" is not a scope name");
  expect_usage({"GET", "/v1/a", "--organization", "a b"}, "--organization: at most 128");
  expect_usage({"GET", "/v1/a", "--from", "here"}, "is no address");
  expect_usage({"GET", "/v1/a", "--anonymous", "--key-stdin"}, "excludes");
  expect_usage({"GET", "/v1/a", "--key-stdin"}, "there is no key on stdin");
  expect_usage({"GET", "/v1/a", "-H", "Authorization: Bearer kg_0123456789012345678901234"},
               "the request carries a key");
  keygate.rewrite_policy("version: 1\nroutes: []\n");
  expect_usage({"GET", "/v1/a"}, "the configuration has faults");
}

TEST_F(ExplainAlone, AKeyThatCannotBeLookedUpIsNeitherDeniedNorGranted) {
  const std::string key = "kg_0123456789012345678901234567890\n";
  expect_usage({"GET", "/v1/a", "--key-stdin"}, "there is no store at", key);
  EXPECT_FALSE(std::filesystem::exists(keygate.store_file())) << "explain has made a store";
  EXPECT_EQ(explain({"GET", "/v1/a", "--key-stdin", "--scopes", "v1:read"}, key).status.code, 0);
  EXPECT_EQ(explain({"GET", "/nowhere", "--key-stdin"}, key).status.code, 1) << "nobody asks whose it is";
  keygate.directory().write("keys.db", "no database at all, but long enough to be taken for the head of one");
  expect_usage({"GET", "/v1/a", "--key-stdin"}, "keys.db: ", key);
}

TEST_F(ExplainAlone, HelpBeginsWithTwoExamples) {
  const Finished finished = explain({"--help"});
  EXPECT_EQ(finished.status.code, 0);
  const std::string first = "keygate explain -c ";
  EXPECT_TRUE(finished.output.starts_with(first));
  EXPECT_EQ(finished.output.find(first, finished.output.find('\n')), finished.output.find('\n') + 1);
}

TEST_F(ExplainAlone, TheRequestTargetMayBeWrittenOut) {
  EXPECT_THAT(explain({"GET", "http://a.example/", "--request-target", "http://b.example/"}).output,
              HasSubstr("denied: 421 misdirected_request"));
  EXPECT_EQ(explain({"OPTIONS", "*"}).status.code, 0);
}

}  // namespace
}  // namespace keygate::test
