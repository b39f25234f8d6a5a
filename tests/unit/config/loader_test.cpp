#include "config/loader.hpp"

#include "tests/unit/config/loading.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace keygate::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A folder of its own for each test, gone with it.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "keygate-config-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string write(const std::string& name, const std::string& text) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file.string();
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

const std::string one_route = "routes: [{name: all, match: {path: /}, anonymous: true}]\n";

TEST(Loader, UnknownKeyNamesTheNearestOne) {
  EXPECT_THAT(faults_in(three_lines + "identity_headers:\n  organisation: X-Org\n"),
              ElementsAre("conf/keygate.yaml:5:3: identity_headers: unknown key \"organisation\"; did you mean "
                          "\"organization\"?"));
}

TEST(Loader, EveryFaultIsToldAtOnceAndInOrder) {
  EXPECT_THAT(faults_in("threads: 010\n"
                        "upstream: 127.0.0.1:3000\n"
                        "policy:\n"
                        "  routes:\n"
                        "    - name: a\n"
                        "      name: b\n"
                        "      match: {path: }\n"
                        "      anonymous: \"yes\"\n"
                        "limits: {header_byte: 1, header_count: 0}\n"
                        "colour: red\n"),
              ElementsAre(HasSubstr(":1:1: \"resolution\" is missing"), HasSubstr(":1:10: threads: \"010\" looks like"),
                          HasSubstr(":2:11: upstream: \"127.0.0.1:3000\" is not an http:// address"),
                          HasSubstr(":6:7: policy.routes[0]: duplicate key \"name\""),
                          HasSubstr(":7:15: policy.routes[0].match.path: needs text, but is empty"),
                          HasSubstr(":8:18: policy.routes[0].anonymous: needs true or false, not \"yes\""),
                          HasSubstr(":9:10: limits: unknown key \"header_byte\""),
                          HasSubstr(":9:40: limits.header_count: needs a whole number from 1 to 128, not \"0\""),
                          HasSubstr(":10:1: unknown key \"colour\"")));
}

TEST(Loader, FaultsOfBothFilesAreToldTogether) {
  const Folder folder;
  const auto policy = folder.write("policy.yaml", "routes:\n  - name: a\n    match: {pat: /}\n");
  const auto main = folder.write("keygate.yaml",
                                 "upstream: http://a\npolicy: policy.yaml\nresolution: {store: {path: k}}\nlogs: {}\n");
  EXPECT_THAT(rendered(load_file(main)),
              ElementsAre(main + ":4:1: unknown key \"logs\"; did you mean \"log\"?",
                          policy + ":3:12: routes[0].match: \"path\" is missing",
                          policy + ":3:13: routes[0].match: unknown key \"pat\"; did you mean \"path\"?"));
}

TEST(Loader, AFaultyFileGivesNoSettings) {
  EXPECT_EQ(load("upstream: http://a\n").settings, nullptr);
  EXPECT_EQ(load("a: [").settings, nullptr);
  EXPECT_EQ(load("").settings, nullptr);
  EXPECT_EQ(load(three_lines + "log: {level: info}\nlog: {level: info}\n").settings, nullptr);
}

TEST(Loader, AWarningStandsBesideSettings) {
  const auto loaded = load(three_lines + "trusted_proxies: [0.0.0.0/0]\n");
  EXPECT_NE(loaded.settings, nullptr);
  EXPECT_THAT(rendered(loaded), ElementsAre("conf/keygate.yaml:4:19: warning: trusted_proxies[0]: \"0.0.0.0/0\" lets "
                                            "every client say who it is; name the proxies alone"));
}

TEST(Loader, EveryPathIsRelativeToTheFileItStandsIn) {
  const Folder folder;
  folder.write("sub/policies/policy.yaml", one_route);
  const auto main = folder.write(
      "sub/keygate.yaml", "upstream: http://a\npolicy: policies/policy.yaml\nresolution: {store: {path: ../k}}\n");
  const auto loaded = load_file(main);
  ASSERT_THAT(rendered(loaded), IsEmpty());
  EXPECT_EQ(loaded.settings->resolution.store->path, folder / "k");
  EXPECT_EQ(*loaded.settings->policy.where.file, folder / "sub/policies/policy.yaml");
  EXPECT_EQ(loaded.settings->policy.routes.at(0).name.value, "all");
}

TEST(Loader, AnAbsolutePathStaysAsItIs) {
  const Folder folder;
  const auto policy = folder.write("policy.yaml", one_route);
  EXPECT_THAT(faults_in("upstream: http://a\npolicy: " + policy + "\nresolution: {store: {path: k}}\n"), IsEmpty());
}

TEST(Loader, AnEmptyPolicyFileIsAnError) {
  const Folder folder;
  const auto main =
      folder.write("keygate.yaml", "upstream: http://a\npolicy: policy.yaml\nresolution: {store: {path: k}}\n");
  const auto policy = folder.write("policy.yaml", "");
  EXPECT_THAT(rendered(load_file(main)), ElementsAre(policy + ":1:1: the file is empty"));
  folder.write("policy.yaml", "{}\n");
  EXPECT_THAT(rendered(load_file(main)), ElementsAre(policy + ":1:1: \"routes\" is missing"));
  folder.write("policy.yaml", "- name: a\n");
  EXPECT_THAT(rendered(load_file(main)), ElementsAre(policy + ":1:1: needs a map, not a list; write {scopes: ...}"));
}

TEST(Loader, AFileThatCannotBeReadIsAProblem) {
  const Folder folder;
  const auto missing = folder / "nowhere.yaml";
  EXPECT_THAT(rendered(load_file(missing)), ElementsAre(missing + ": cannot be read: No such file or directory"));
  EXPECT_THAT(rendered(load_file(folder / ".")), ElementsAre(HasSubstr("cannot be read: it is a directory")));
  EXPECT_EQ(load_file(missing).settings, nullptr);
}

TEST(Loader, VariablesAreReplacedInValuesAfterParsing) {
  const auto loaded = load(three_lines +
                               "threads: ${THREADS}\n"
                               "limits: {connections: \"${CONNECTIONS:-12}\"}\n"
                               "listen: ${HOST}:8081\n"
                               "identity_headers: {user: \"X-${NAME}\"}\n",
                           {{"THREADS", "4"}, {"HOST", "0.0.0.0"}, {"NAME", "User"}});
  ASSERT_THAT(rendered(loaded), IsEmpty());
  EXPECT_EQ(loaded.settings->threads, 4u);
  EXPECT_EQ(loaded.settings->limits.connections, 12u);
  EXPECT_EQ(loaded.settings->listeners.at(0).host, "0.0.0.0");
  EXPECT_EQ(loaded.settings->identity_headers.user, "X-User");
}

TEST(Loader, AVariableNeverBecomesStructure) {
  EXPECT_THAT(faults_in(three_lines + "log: ${LOG}\n", {{"LOG", "{level: debug}"}}),
              ElementsAre("conf/keygate.yaml:4:6: log: needs a map, not \"${LOG}\"; write {level: ...}"));
  EXPECT_THAT(faults_in(three_lines + "threads: ${N}\n", {{"N", "010"}}),
              ElementsAre(HasSubstr("threads: what ${N} gives looks like an octal number")));
}

// It may hold a password, meant for another place.
TEST(Loader, WhatAVariableHoldsIsInNoComplaint) {
  const std::string word = "hunter2-hunter2";
  for (const std::string key :
       {"threads", "listen", "log: {level", "log: {requests", "limits: {header_timeout", "limits: {header_bytes",
        "limits: {connections", "trusted_proxies", "upstream", "admin: {address", "identity_headers: {user",
        "resolution: {redis: {url", "resolution: {redis: {timeout", "resolution: {redis: {namespace"}) {
    for (const std::string value : {"${V}", "/x ${V}", "http://${V}:${V}", "redis://${V}", "${V:-x}"}) {
      const std::string end(static_cast<std::size_t>(std::count(key.begin(), key.end(), '{')), '}');
      for (const auto& fault : faults_in(key + ": \"" + value + "\"" + end + "\n", {{"V", word}})) {
        EXPECT_THAT(fault, testing::Not(HasSubstr("hunter2"))) << value;
      }
    }
  }
  EXPECT_THAT(faults_in(three_lines + "log: {level: \"${V}\"}\n", {{"V", word}}),
              ElementsAre(HasSubstr(", not what ${V} gives")));
}

TEST(Loader, AnUnsetVariableIsAnErrorAtItsPlace) {
  EXPECT_THAT(faults_in(three_lines + "log: {level: \"${LEVEL}\"}\n"),
              ElementsAre("conf/keygate.yaml:4:14: log.level: the environment variable LEVEL is not set; set it, or "
                          "write ${LEVEL:-default}"));
}

TEST(Loader, VariablesReachThePolicyFile) {
  const Folder folder;
  folder.write("policy.yaml",
               "routes: [{name: '${KEYGATE_TEST_ROUTE}', match: {path: /$$metadata}, anonymous: true}]\n");
  const auto main =
      folder.write("keygate.yaml", "upstream: http://a\npolicy: policy.yaml\nresolution: {store: {path: k}}\n");
  setenv("KEYGATE_TEST_ROUTE", "from-environment", 1);
  const auto loaded = load_file(main);
  unsetenv("KEYGATE_TEST_ROUTE");
  ASSERT_THAT(rendered(loaded), IsEmpty());
  EXPECT_EQ(loaded.settings->policy.routes.at(0).name.value, "from-environment");
  EXPECT_EQ(loaded.settings->policy.routes.at(0).match.path.value, "/$metadata");
}

TEST(Loader, NothingIsThrownWhateverTheEnvironmentDoes) {
  LoadOptions options;
  options.environment = [](const std::string&) -> std::optional<std::string> { throw std::runtime_error("no"); };
  EXPECT_THAT(rendered(load_text("threads: ${N}\n", "f", options)), ElementsAre("f: cannot be loaded: no"));
}

TEST(Loader, AMillionFaultsAreNotAllTold) {
  std::string yaml = three_lines;
  for (int i = 0; i < 3'000; ++i) yaml += "key" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(load(yaml).problems.size(), 1'000u);
  EXPECT_EQ(load(yaml).settings, nullptr);
}

}  // namespace
}  // namespace keygate::config
