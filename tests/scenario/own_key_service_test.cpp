// config/examples/own-key-service: somebody else's key service, and the script by which it tells proxies of changes.
#include "tests/support/raw_client.hpp"
#include "tests/support/recording_upstream.hpp"
#include "tests/support/redis.hpp"
#include "tests/support/scenario.hpp"
#include "tests/support/shipped_example.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

using testing::HasSubstr;

const std::string token = "token-of-the-proxy-0123456789abcdef";
const Key known{"key_1", "kg_oWnSeRvIcE0123456789abcdefghijklmnopqrstuvwxy"};

class OwnKeyService : public testing::Test {
 protected:
  void SetUp() override {
    tokens.write("keygate.token", token + "\n");
    service.follow([this](Turn& turn) {
      turn.read_body();
      const bool is_allowed = turn.request().fields["authorization"] == "Bearer " + token;
      const std::lock_guard lock(mutex);
      turn.answer(is_allowed ? 200 : 401, said, "Content-Type: application/json\r\n");
    });
    say_scopes("\"projects:read\"");
    for (const auto& proxy : proxies) proxy->start();
    for (const auto& proxy : proxies) proxy->remember(known);
  }
  void TearDown() override {
    for (const auto& proxy : proxies) {
      proxy->stop();
      EXPECT_FALSE(proxy->is_key_in(proxy->output() + proxy->errors()));
    }
  }

  void say(const std::string& answer) {
    const std::lock_guard lock(mutex);
    said = answer;
  }
  void say_scopes(const std::string& scopes) {
    say(R"({"valid":true,"key_id":"key_1","organization_id":"org_1","scopes":[)" + scopes + "]}");
  }

  // "200 200": what each proxy answers.
  std::string answers(const std::string& method = "GET") {
    std::string all;
    for (const auto& proxy : proxies) {
      const Response response = ask(proxy->port(), request_to("/projects/7", known.bearer(), method));
      all += (all.empty() ? "" : " ") + std::to_string(response.status);
    }
    return all;
  }

  Finished tell(const std::vector<std::string>& arguments, const std::string& input, const std::string& url) const {
    std::vector<std::string> argv{example_file("own-key-service", "tell-proxies.sh")};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run({argv, {"REDIS_URL=" + url}, "", input});
  }
  Finished tell(const std::string& what, const std::string& input) const { return tell({what}, input, redis.url()); }
  std::string digest() const { return sha256_of_file(tokens.write("key", known.text)); }

  std::vector<std::string> environment() const {
    return {"KEYGATE_TOKENS=" + tokens.path().string(), "REDIS_URL=" + redis.url(),
            "KEYS_URL=" + address_of(service.port()) + "/v1/keys/verify", "APP_URL=" + address_of(app.port())};
  }

  TempDir tokens;
  Redis redis;
  RecordingUpstream app, service;
  std::mutex mutex;
  std::string said;
  std::vector<std::unique_ptr<ShippedExample>> proxies = [this] {
    std::vector<std::unique_ptr<ShippedExample>> two;
    for (int i = 0; i < 2; ++i) two.push_back(std::make_unique<ShippedExample>("own-key-service", environment()));
    return two;
  }();
};

TEST_F(OwnKeyService, RevokedKeyIsRefusedEverywhereThoughTheServiceStillVouchesForIt) {
  EXPECT_EQ(answers(), "200 200");
  const Finished told = tell("revoked", known.text + "\n");
  EXPECT_EQ(told.status.code, 0) << told.errors;
  EXPECT_THAT(told.output, HasSubstr(" workers heard of it"));
  EXPECT_THAT(told.output, testing::Not(HasSubstr(": 0 workers")));
  EXPECT_TRUE(settles([&] { return answers() == "401 401"; }));
  expect_problem(ask(proxies[0]->port(), request_to("/projects/7", known.bearer())), 401, "revoked_key");
  const long left = std::stol(redis.command({"TTL", "keygate:v1:key:" + digest()}));
  EXPECT_GE(left, 50);
  EXPECT_LE(left, 60);
}

TEST_F(OwnKeyService, ChangedKeyIsAskedForAgainAtOnce) {
  EXPECT_EQ(answers(), "200 200");
  EXPECT_EQ(answers("POST"), "403 403");
  ASSERT_TRUE(eventually([&] {
    return redis.command({"GET", "keygate:v1:key:" + digest()}).find("\"valid\"") != std::string::npos;
  })) << "shared, so that every worker knows it";
  say_scopes("\"projects:write\"");
  EXPECT_EQ(answers(), "200 200") << "remembered, for at most the bound";
  EXPECT_EQ(tell("changed", digest() + "\n").status.code, 0);
  EXPECT_TRUE(settles([&] { return answers("POST") == "200 200"; }));
  EXPECT_EQ(answers(), "403 403");
  EXPECT_THAT(redis.command({"GET", "keygate:v1:key:" + digest()}), HasSubstr("\"changed\""));
}

TEST_F(OwnKeyService, ScriptFailsWhereRedisDoesNotTakeIt) {
  EXPECT_EQ(tell({}, known.text, redis.url()).status.code, 2);
  EXPECT_EQ(tell({"gone"}, known.text, redis.url()).status.code, 2);
  EXPECT_EQ(tell({"revoked"}, "", redis.url()).status.code, 2);
  redis.command({"CONFIG", "SET", "min-replicas-to-write", "3"});
  EXPECT_EQ(tell("revoked", known.text).status.code, 1);
  redis.kill();
  EXPECT_EQ(tell("revoked", known.text).status.code, 1);
}

}  // namespace
}  // namespace keygate::test
