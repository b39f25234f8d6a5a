#include "app/dev_plan.hpp"

#include "config/loader.hpp"
#include "keys/key_format.hpp"
#include "policy/policy.hpp"
#include "tests/unit/policy/builders.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace keygate::app {
namespace {

using policy::testing::keyed;
using policy::testing::open_route;
using policy::testing::RouteBuilder;

const std::string address = "127.0.0.1:8080";

config::PolicyDocument policy_of(std::vector<config::RouteDocument> routes) {
  config::PolicyDocument policy;
  policy.routes = std::move(routes);
  return policy;
}

// The second line, up to where the key stands and behind it.
std::string granted_for(std::vector<config::RouteDocument> routes) {
  std::string line = try_lines(policy_of(std::move(routes)), address).granted;
  const std::string key = "-H 'x-api-key: " + development_key() + "' ";
  const auto at = line.find(key);
  EXPECT_NE(at, std::string::npos) << line;
  return at == std::string::npos ? line : line.erase(at, key.size());
}

TEST(DevelopmentKey, IsTheSameEachTime) {
  EXPECT_EQ(development_key(), "kg_dev_0nlyForDevelopmentOnThisMachine0123" +
                                   keys::checksum_of("kg_dev_0nlyForDevelopmentOnThisMachine0123"));
  EXPECT_EQ(development_key(), development_key());
}

TEST(DevelopmentKey, HasTheFormOfAKey) {
  const std::string key = development_key();
  EXPECT_EQ(key.size(), keys::key_size);
  EXPECT_EQ(key.size(), 48U);
  EXPECT_TRUE(keys::has_valid_checksum(key));
  EXPECT_EQ(key.find_first_not_of("_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            std::string::npos);
  const keys::KeyFormats formats({{"kg_dev_", config::Environment::none, 48, true, {}}});
  EXPECT_TRUE(formats.fit(keys::SecretView(key)));
}

TEST(TryLines, AreOneThatIsRefusedAndOneThatIsGranted) {
  const auto lines = try_lines(policy_of({keyed("a", "/a")}), address);
  EXPECT_EQ(lines.refused, "curl -i 'http://127.0.0.1:8080/a'");
  EXPECT_EQ(lines.granted, "curl -i -H 'x-api-key: " + development_key() + "' 'http://127.0.0.1:8080/a'");
}

TEST(TryLines, TakeTheFirstRouteThatNeedsAnApiKey) {
  EXPECT_EQ(granted_for({open_route("open", "/open"), keyed("maybe", "/maybe").optional(),
                         RouteBuilder("session", "/session").credentials({"session"}),
                         RouteBuilder("scoped", "/scoped").all({"a:read"}), keyed("later", "/later")}),
            "curl -i 'http://127.0.0.1:8080/scoped'");
  EXPECT_EQ(granted_for({RouteBuilder("both", "/both").credentials({"session", "api_key"})}),
            "curl -i 'http://127.0.0.1:8080/both'");
}

TEST(TryLines, AreEmptyWhereNoRouteNeedsAKey) {
  for (const auto& policy : {policy_of({}), policy_of({open_route("open", "/open")})}) {
    EXPECT_EQ(try_lines(policy, address).refused, "");
    EXPECT_EQ(try_lines(policy, address).granted, "");
  }
}

TEST(TryLines, FillInAPathThatTheTemplateCovers) {
  EXPECT_EQ(granted_for({keyed("a", "/{rest...}")}), "curl -i 'http://127.0.0.1:8080/'");
  EXPECT_EQ(granted_for({keyed("a", "/a/{x}/b/{y}")}), "curl -i 'http://127.0.0.1:8080/a/example/b/example'");
  EXPECT_EQ(granted_for({keyed("a", "/o/{org}/p/{project}").organization("{org}")}),
            "curl -i 'http://127.0.0.1:8080/o/dev-org/p/example'");
  EXPECT_EQ(granted_for({keyed("a", "/a/{x}/{rest...}")}), "curl -i 'http://127.0.0.1:8080/a/example/'");
}

TEST(TryLines, UseTheMethodHostAndHeadersOfTheRoute) {
  EXPECT_EQ(granted_for({keyed("a", "/a").methods({"GET", "POST"})}), "curl -i 'http://127.0.0.1:8080/a'");
  EXPECT_EQ(granted_for({keyed("a", "/a").methods({"DELETE", "GET"})}), "curl -i -X DELETE 'http://127.0.0.1:8080/a'");
  EXPECT_EQ(granted_for({keyed("a", "/a").methods({"HEAD"})}), "curl -i -I 'http://127.0.0.1:8080/a'");
  EXPECT_EQ(granted_for({keyed("a", "/a").hosts({"api.example.com"}).header("x-beta", "true")}),
            "curl -i -H 'Host: api.example.com' -H 'x-beta: true' 'http://127.0.0.1:8080/a'");
  EXPECT_EQ(granted_for({keyed("a", "/a").hosts({"*.example.com"})}),
            "curl -i -H 'Host: example.example.com' 'http://127.0.0.1:8080/a'");
}

// The words that a shell makes of a line: it prints them, one a line.
std::vector<std::string> shell_words(const std::string& line) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(
      ::popen(("curl() { printf '%s\\n' \"$@\"; }; " + line).c_str(), "r"), ::pclose);
  std::vector<std::string> words(1);
  for (int c = 0; (c = std::fgetc(pipe.get())) != EOF;) {
    if (c == '\n') {
      words.emplace_back();
    } else {
      words.back() += static_cast<char>(c);
    }
  }
  words.pop_back();
  return words;
}

TEST(TryLines, WorkAsPastedWhateverThePolicyHolds) {
  const auto lines =
      try_lines(policy_of({keyed("a", "/it's/$(echo)/`x`").header("x-beta", "'; echo owned; '\"$HOME\\")}), address);
  EXPECT_EQ(shell_words(lines.refused), (std::vector<std::string>{"-i", "-H", "x-beta: '; echo owned; '\"$HOME\\",
                                                                  "http://127.0.0.1:8080/it's/$(echo)/`x`"}));
  EXPECT_EQ(shell_words(lines.granted).size(), 6U);
}

// --- The starter policy
// -------------------------------------------------------------------------------------------------------

std::string indented(std::string_view text) {
  std::string result = "  ";
  for (const char c : text) {
    result += c;
    if (c == '\n') result += "  ";
  }
  return result;
}

config::Loaded starter() {
  const std::string yaml = "upstream: http://127.0.0.1:3000\nresolution:\n  store: {path: keygate.db}\npolicy:\n" +
                           indented(starter_policy()) + "\n";
  return config::load_text(yaml, "dev.yaml");
}

TEST(StarterPolicy, CompilesWithoutAWord) {
  const auto loaded = starter();
  for (const auto& line : policy::testing::rendered(loaded.problems)) ADD_FAILURE() << line;
  ASSERT_TRUE(loaded.settings);
  const auto compiled = policy::compile(*loaded.settings);
  for (const auto& line : policy::testing::rendered(compiled.problems)) ADD_FAILURE() << line;
  EXPECT_TRUE(compiled.policy);
}

TEST(StarterPolicy, HasLinesToTry) {
  const auto loaded = starter();
  ASSERT_TRUE(loaded.settings);
  EXPECT_EQ(try_lines(loaded.settings->policy, address).refused, "curl -i 'http://127.0.0.1:8080/hello'");
}

}  // namespace
}  // namespace keygate::app
