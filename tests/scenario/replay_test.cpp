// The log of a running proxy, replayed: under its own policy nothing differs, under another what a client would notice.
#include "tests/support/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keygate::test {
namespace {

namespace json = boost::json;

using ::testing::HasSubstr;

constexpr std::string_view policy = R"(version: 1
scopes:
  items:read: Read
  items:write: {description: Write, implies: [items:read]}
  other: Something else
routes:
  - {name: read, match: {methods: [GET], path: "/items/{id}"}, require: {scopes: items:read}}
  - {name: write, match: {methods: [PUT], path: "/items/{id}"}, require: {scopes: items:write}}
  - {name: open, match: {path: /open}, anonymous: true}
)";

class ReplayLog : public Scenario {
 protected:
  // All kinds of requests; then the log.
  std::string record() {
    start_without_keys({.policy = std::string(policy)});
    const Key reader = keygate.create_key({.scopes = "items:read"});
    const Key writer = keygate.create_key({.scopes = "items:write"});
    const Key all = keygate.create_key({.scopes = "*"});
    for (const Key* key : {&reader, &writer, &all}) {
      ask(request_to("/items/1", key->bearer()));
      ask(request_to("/items/1", key->bearer(), "PUT"));
    }
    ask(request_to("/items/2"));
    ask(request_to("/items/2", "Authorization: Bearer nonsense\r\n"));
    ask(request_to("/open"));
    ask(request_to("/none", reader.bearer()));
    ask(request_to("/items/%2e%2e", reader.bearer()));
    keygate.stop();
    return keygate.output();
  }

  Finished replay(std::string_view candidate, std::vector<std::string> logs, const std::string& input = "") {
    const std::string config = keygate.directory().write(
        "candidate.yaml",
        "upstream: http://127.0.0.1:1\nresolution: {store: {path: keys.db}}\npolicy:\n" + json_or_yaml(candidate));
    std::vector<std::string> argv{keygate_binary(), "replay", "-c", config};
    argv.insert(argv.end(), logs.begin(), logs.end());
    return run({argv, {}, "", input});
  }

 private:
  // Two blanks before each line.
  static std::string json_or_yaml(std::string_view text) {
    std::string out = "  ";
    for (const char c : text.substr(0, text.size() - 1)) out += c == '\n' ? std::string("\n  ") : std::string(1, c);
    return out + "\n";
  }
};

TEST_F(ReplayLog, UnderItsOwnPolicyNothingDiffers) {
  const std::string log = keygate.directory().write("access.log", record());
  const Finished finished = replay(policy, {log});
  EXPECT_EQ(finished.status.code, 0) << finished.output << finished.errors;
  EXPECT_EQ(finished.output,
            "11 lines: 10 decided alike, 0 in another way, 0 cannot tell, 1 refused before any policy, 0 broken\n");
}

TEST_F(ReplayLog, UnderAnotherWhatAClientWouldNotice) {
  const std::string log = record();
  std::string stricter(policy);
  stricter.replace(stricter.find("{scopes: items:write}"), 21, "{scopes: other}");
  stricter.replace(stricter.find("anonymous: true"), 15, "require: {scopes: other}");
  const Finished finished = replay(stricter, {"-"}, log + "not a line\n");
  EXPECT_EQ(finished.status.code, 1) << finished.errors;
  EXPECT_THAT(finished.output,
              HasSubstr("decided in another way:\n  1  ok by write to default  ->  insufficient_scope by "
                        "write  PUT /items/1 (stdin:4)\n"));
  EXPECT_THAT(finished.output,
              HasSubstr("cannot tell:\n  1  no credential was looked for then, and one is needed now\n"));
  EXPECT_THAT(finished.output,
              HasSubstr("12 lines: 8 decided alike, 1 in another way, 1 cannot tell, 1 refused before any "
                        "policy, 1 broken\n"));
  const Finished in_json = replay(stricter, {"--json", "-"}, log);
  const json::value told = json::parse(in_json.output);
  EXPECT_EQ(told.at("different").to_number<int>(), 1);
  EXPECT_EQ(told.at("differences").at(0).at("after").at("code").as_string(), "insufficient_scope");
  EXPECT_EQ(told.at("differences").at(0).at("example").at("path").as_string(), "/items/1");
}

TEST_F(ReplayLog, WhatIsNoLogOrNoConfigurationIsWrongUsage) {
  keygate.write_files({.upstream_port = 1});
  const Finished finished = replay(policy, {"-"}, "200 GET /a\n200 GET /b\n");
  EXPECT_EQ(finished.status.code, 2);
  EXPECT_THAT(finished.errors, HasSubstr("none of 2 lines is one of an access log in JSON"));
  EXPECT_EQ(replay(policy, {"/nowhere.log"}).status.code, 2);
  EXPECT_EQ(replay("routes: []\n", {"-"}, "").status.code, 2);
  EXPECT_EQ(replay(policy, {"-"}, "").status.code, 2) << "whatever was to write it has failed";
}

}  // namespace
}  // namespace keygate::test
