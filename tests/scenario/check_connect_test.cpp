// `keygate check --connect` beside real servers that answer, refuse and are not there; and `--offline`.
#include "tests/support/keygate.hpp"
#include "tests/support/recording_upstream.hpp"
#include "tests/support/redis.hpp"
#include "tests/support/scripted_service.hpp"
#include "tests/support/socket.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace keygate::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string at(std::uint16_t port) { return "http://127.0.0.1:" + std::to_string(port); }

class CheckConnect : public testing::Test {
 protected:
  Finished check(Config config, const std::vector<std::string>& more = {"--connect"}) {
    keygate.write_files(config);
    std::vector<std::string> argv{keygate_binary(), "check", "-c", keygate.config_file()};
    argv.insert(argv.end(), more.begin(), more.end());
    return run({argv, {}, "", ""});
  }
  Config with(const std::string& redis, std::uint16_t service_port, const std::string& upstreams = "") const {
    Config config{.upstreams = upstreams, .upstream_port = upstream.port()};
    config.resolution = "{redis: {" + redis + "}, service: {url: \"" + at(service_port) + "/verify\", timeout: 5s}}";
    return config;
  }

  Keygate keygate;
  RecordingUpstream upstream;
  ScriptedService service{[](const std::string&) { return unknown_answer; }};
};

TEST_F(CheckConnect, PassesWhereAllCanBeUsed) {
  const Redis redis{{.username = "proxy", .password = "sesame"}};
  const auto said = check(with("url: \"" + redis.url() + "\", username: proxy, password_file: secret", service.port()),
                          {"--connect"});
  EXPECT_EQ(said.status.code, 1) << "there is no such file yet";
  keygate.directory().write("secret", "sesame\n");
  const auto again =
      check(with("url: \"" + redis.url() + "\", username: proxy, password_file: secret", service.port()));
  EXPECT_EQ(again.status.code, 0) << again.output << again.errors;
  EXPECT_THAT(again.output, HasSubstr("3 routes, 3 scopes, 3 connections)"));
  EXPECT_EQ(service.calls(), 1u);
  EXPECT_EQ(upstream.requests().size(), 0u) << "without a health_check nothing is asked";
}

TEST_F(CheckConnect, NamesAllThatCannotBeUsedAndWhere) {
  const Redis redis{{.username = "proxy", .password = "sesame", .permissions = "~* +@all resetchannels"}};
  keygate.directory().write("secret", "sesame\n");
  service.answer_all_with("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  upstream.follow([](const Turn& turn) { turn.answer(503, "not yet"); });
  const std::string upstreams = "{default: {endpoints: [\"" + at(upstream.port()) + "\", \"" + at(free_port()) +
                                "\"], health_check: {path: /healthz}}}";
  const auto said =
      check(with("url: \"" + redis.url() + "\", username: proxy, password_file: secret", service.port(), upstreams));
  EXPECT_EQ(said.status.code, 1);
  EXPECT_THAT(said.output, HasSubstr("resolution.redis: Redis at 127.0.0.1:" + std::to_string(redis.port()) +
                                     " cannot be used: it does not let changes of keys be heard: it says NOPERM"));
  EXPECT_THAT(said.output,
              HasSubstr("resolution.service.url: the key service at " + at(service.port()) + " cannot be used: "));
  EXPECT_THAT(said.output, HasSubstr("401"));
  EXPECT_THAT(said.output, HasSubstr("upstreams.default: " + at(upstream.port()) + " cannot be used: it answered 503"));
  EXPECT_THAT(said.output, HasSubstr("cannot be used: Connection refused"));
  EXPECT_THAT(said.output, Not(HasSubstr("sesame")));
  EXPECT_THAT(said.output, Not(HasSubstr(": ok (")));
}

TEST_F(CheckConnect, AServiceThatTakesAnyKeyForGoodIsNoKeyService) {
  service.answer_all_with("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                          std::to_string(good_answer("key_1").size()) + "\r\n\r\n" + good_answer("key_1"));
  const Redis redis;
  const auto said = check(with("url: \"" + redis.url() + "\"", service.port()));
  EXPECT_EQ(said.status.code, 1);
  EXPECT_THAT(said.output, HasSubstr("it takes a credential for good that was made up just now"));
}

TEST_F(CheckConnect, WithoutItNothingIsTried) {
  const auto said = check(with("url: \"redis://127.0.0.1:" + std::to_string(free_port()) + "\"", free_port()), {});
  EXPECT_EQ(said.status.code, 0) << said.output;
  EXPECT_THAT(said.output, HasSubstr("3 routes, 3 scopes)"));
}

TEST_F(CheckConnect, AKeyServersSecretsAreReadToo) {
  const TempDir place;
  const std::string file = place.write(
      "keyserver.yaml",
      "listeners: [{address: \"127.0.0.1:0\"}]\nresolution: {store: {path: keys.db}, redis: {url: "
      "\"redis://127.0.0.1:1\", "
      "signing_key_file: signing}}\nkey_service: {token_file: token}\npolicy: {scopes: {\"v1:read\": Read}}\n");
  const auto check_it = [&](const std::vector<std::string>& more) {
    std::vector<std::string> argv{keygate_binary(), "check", "-c", file};
    argv.insert(argv.end(), more.begin(), more.end());
    return run({argv, {}, "", ""});
  };
  const auto said = check_it({});
  EXPECT_EQ(said.status.code, 1) << said.output;
  EXPECT_THAT(said.output, HasSubstr("keyserver.yaml:3:27: key_service: "));
  EXPECT_THAT(said.output, HasSubstr("resolution.redis.signing_key_file: "));
  EXPECT_EQ(check_it({"--offline"}).status.code, 0);
  place.write("token", std::string(32, 't') + "\n");
  place.write("signing", std::string(32, 's') + "\n");
  const auto again = check_it({});
  EXPECT_EQ(again.status.code, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr("a key server, 1 scope)"));
}

TEST_F(CheckConnect, OfflineReadsNoSecret) {
  const std::string redis = "url: \"redis://127.0.0.1:1\", password_file: nowhere";
  EXPECT_EQ(check(with(redis, service.port()), {}).status.code, 1);
  const auto said = check(with(redis, service.port()), {"--offline"});
  EXPECT_EQ(said.status.code, 0) << said.output;
  EXPECT_EQ(check(with(redis, service.port()), {"--offline", "--connect"}).status.code, 2);
}

}  // namespace
}  // namespace keygate::test
