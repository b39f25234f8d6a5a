// A change to any file that the proxy was loaded from takes effect without a word: configuration, policy, secrets,
// certificates. As in Kubernetes, where nobody sends signals.
#include "tests/support/mounted_folder.hpp"
#include "tests/support/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace keygate::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string policy_with(const std::string& path) {
  return std::string(standard_policy) + "  - name: more\n    match: {path: \"" + path + "\"}\n    anonymous: true\n";
}

std::size_t count_of(const std::string& text, const std::string& piece) {
  std::size_t count = 0;
  for (auto at = text.find(piece); at != std::string::npos; at = text.find(piece, at + piece.size())) ++count;
  return count;
}

class FileWatch : public Scenario {
 protected:
  bool is_open(const std::string& path) {
    return eventually([&] { return ask(request_to(path)).status == 200; });
  }
  bool has_said(const std::string& what) {
    return eventually([&] { return keygate.errors().find(what) != std::string::npos; });
  }
};

TEST_F(FileWatch, ANewPolicyTakesEffect) {
  start({.threads = 2});
  keygate.rewrite_policy(policy_with("/a"));
  EXPECT_TRUE(is_open("/a")) << keygate.errors();
  EXPECT_THAT(keygate.errors(), HasSubstr("changed: " + (keygate.directory() / "policy.yaml")));
  std::ofstream(keygate.directory() / "policy.yaml", std::ios::trunc) << policy_with("/b");
  EXPECT_TRUE(is_open("/b")) << keygate.errors();
}

TEST_F(FileWatch, ANewConfigurationTakesEffectAndSoDoesThePolicyItNames) {
  start();
  keygate.directory().write("other.yaml", policy_with("/a"));
  std::string config = read_file(keygate.config_file());
  config.replace(config.find("policy.yaml"), 11, "other.yaml");
  keygate.directory().write("keygate.yaml", config);
  EXPECT_TRUE(is_open("/a")) << keygate.errors();
  keygate.directory().write("other.yaml", policy_with("/b"));
  EXPECT_TRUE(is_open("/b")) << keygate.errors();
  keygate.rewrite_policy(policy_with("/c"));  // named no more
  keygate.directory().write("other.yaml", policy_with("/d"));
  EXPECT_TRUE(is_open("/d")) << keygate.errors();
  EXPECT_EQ(ask(request_to("/c")).status, 403);
}

TEST_F(FileWatch, F60_WhatIsFaultyChangesNothingAndIsTriedAgainWhenItChanges) {
  start({.policy = policy_with("/a")});
  keygate.rewrite_policy("routes: [\n");
  EXPECT_TRUE(has_said("reload refused, generation 1 stays in force")) << keygate.errors();
  EXPECT_TRUE(is_open("/a"));
  EXPECT_EQ(keygate.readiness(), 200);
  std::filesystem::remove(keygate.directory() / "policy.yaml");
  EXPECT_TRUE(has_said("No such file")) << keygate.errors();
  EXPECT_TRUE(is_open("/a"));
  keygate.rewrite_policy(policy_with("/b"));
  EXPECT_TRUE(is_open("/b")) << keygate.errors();
  // A configuration that names a policy which comes later.
  std::string config = read_file(keygate.config_file());
  config.replace(config.find("policy.yaml"), 11, "later.yaml");
  keygate.directory().write("keygate.yaml", config);
  EXPECT_TRUE(has_said("later.yaml")) << keygate.errors();
  EXPECT_TRUE(is_open("/b"));
  keygate.directory().write("later.yaml", policy_with("/c"));
  EXPECT_TRUE(is_open("/c")) << keygate.errors();
}

TEST_F(FileWatch, AConfigMapIsSeenEachTimeItIsSwapped) {
  start();
  MountedFolder mounted(keygate.directory().path() / "mounted");
  mounted.publish({{"policy.yaml", policy_with("/0")}});
  std::string config = read_file(keygate.config_file());
  config.replace(config.find("policy.yaml"), 11, "mounted/policy.yaml");
  keygate.directory().write("keygate.yaml", config);
  ASSERT_TRUE(is_open("/0")) << keygate.errors();
  for (int i = 1; i <= 10; ++i) {
    const std::string path = "/" + std::to_string(i);
    mounted.publish({{"policy.yaml", policy_with(path)}});
    ASSERT_TRUE(is_open(path)) << keygate.errors();
  }
  EXPECT_EQ(count_of(keygate.errors(), "reload refused"), 0U) << keygate.errors();
}

TEST_F(FileWatch, NewSecretsTakeEffect) {
  const std::string admin(40, 'a'), next_admin(40, 'b');
  keygate.directory().write("token", "one\n");
  keygate.directory().write("admin", admin);
  start({.policy = std::string(standard_policy) +
                   "  - {name: ops, match: {path: /ops}, require: {scopes: admin, credentials: [admin]}}\n",
         .upstreams = "{default: {endpoints: [\"http://127.0.0.1:" + std::to_string(upstream.port()) +
                      "\"], authorization_file: token}}",
         .more = "credentials: {admin_secrets: [{name: ops, secret_file: admin, scopes: [admin]}]}\n"});
  const auto token_seen = [&] {
    upstream.forget();
    ask(request_to("/public/x"));
    return upstream.only_request().fields["authorization"];
  };
  const auto status_of = [&](const std::string& secret) {
    return ask(request_to("/ops", "Authorization: Bearer " + secret + "\r\n")).status;
  };
  EXPECT_EQ(token_seen(), "Bearer one");
  EXPECT_EQ(status_of(admin), 200) << keygate.errors();
  keygate.directory().write("token", "two\n");
  EXPECT_TRUE(eventually([&] { return token_seen() == "Bearer two"; })) << keygate.errors();
  keygate.directory().write("admin", next_admin);
  EXPECT_TRUE(eventually([&] { return status_of(next_admin) == 200; })) << keygate.errors();
  EXPECT_EQ(status_of(admin), 401);
  for (const std::string& secret : {admin, next_admin}) EXPECT_THAT(keygate.errors(), Not(HasSubstr(secret)));
  may_upstream_see_keys = true;
}

// The change of the policy comes after all of these: had one of them counted, it would have been seen before.
TEST_F(FileWatch, WhatIsWrittenAsItWasIsNoReload) {
  start();
  keygate.rewrite_policy(standard_policy);
  keygate.directory().write("neighbour", "");
  std::filesystem::last_write_time(keygate.config_file(), std::filesystem::file_time_type::clock::now());
  ASSERT_TRUE(eventually([&] { return keygate.readiness() == 200; }));
  keygate.signal(SIGHUP);
  ASSERT_TRUE(has_said("generation 2 is in force"));
  keygate.rewrite_policy(policy_with("/a"));
  ASSERT_TRUE(is_open("/a")) << keygate.errors();
  EXPECT_THAT(keygate.errors(), HasSubstr("generation 3 is in force"));
  EXPECT_EQ(count_of(keygate.errors(), "changed: "), 1U) << keygate.errors();
}

TEST_F(FileWatch, WhileItDrainsNothingIsReloaded) {
  start({.limits = "drain_timeout: 15s"});
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.hold();
    turn.answer(200, "ended");
  });
  RawClient client = keygate.connect();
  client.send(request_to("/public/x"));
  EXPECT_TRUE(eventually([&] { return upstream.held() == 1; }));
  keygate.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return keygate.readiness() == 503; }));
  keygate.rewrite_policy(policy_with("/a"));
  upstream.release();
  EXPECT_EQ(client.read_response().status, 200);
  EXPECT_EQ(keygate.wait_for_end(), (ExitStatus{0, 0}));
  EXPECT_THAT(keygate.errors(), Not(HasSubstr("reloaded")));
}

TEST_F(FileWatch, AnIncludedFileTakesEffectAndSoDoesANewOne) {
  const auto part = [](const std::string& name) {
    return "routes: [{name: " + name + ", match: {path: /" + name + "}, anonymous: true}]\n";
  };
  std::filesystem::create_directory(keygate.directory() / "routes.d");
  keygate.directory().write("routes.d/a.yaml", part("a"));
  start({.policy = "include: [routes.d/*.yaml]\n" + std::string(standard_policy)});
  EXPECT_TRUE(is_open("/a")) << keygate.errors();
  keygate.directory().write("routes.d/a.yaml", part("b"));
  EXPECT_TRUE(is_open("/b")) << keygate.errors();
  keygate.directory().write("routes.d/more.yaml", part("c"));
  EXPECT_TRUE(is_open("/c")) << keygate.errors();
  keygate.directory().write("routes.d/broken.yaml", "routes: 7\n");
  EXPECT_TRUE(has_said("broken.yaml:1:9: routes: needs a list")) << keygate.errors();
  EXPECT_TRUE(is_open("/c"));
  std::filesystem::remove(keygate.directory() / "routes.d/broken.yaml");
  std::filesystem::remove(keygate.directory() / "routes.d/more.yaml");
  EXPECT_TRUE(eventually([&] { return ask(request_to("/c")).status == 403; })) << keygate.errors();
}

}  // namespace
}  // namespace keygate::test
