// `keygate keyserver` with a Redis: what proxies find there of the keys that were made, rotated and revoked.
#include "tests/support/keygate.hpp"
#include "tests/support/redis.hpp"
#include "tests/support/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <memory>
#include <signal.h>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

const std::string admin_token = "admin-token-0123456789abcdefghijkl";

class KeyServerWithRedis : public testing::Test {
 protected:
  ~KeyServerWithRedis() override {
    if (!process_ || process_->exited()) return;
    process_->signal(SIGTERM);
    EXPECT_EQ(process_->wait(), (ExitStatus{0, 0})) << process_->errors();
    EXPECT_FALSE(has_sanitizer_report(process_->errors())) << process_->errors();
  }

  void write_configuration(const std::string& more) {
    directory_.write("keyserver.yaml", "listen: 127.0.0.1:" + std::to_string(port_) + "\n" + more +
                                           "policy: {scopes: {\"a:read\": Read}}\nlimits: {drain_delay: 0s}\n"
                                           "key_service: {admin_token_file: admin}\n");
  }
  std::string with_redis() const {
    return "resolution:\n  store: {path: keys.db}\n  redis: {url: \"" + redis_.url() +
           "\", password_file: password, signing_key_file: signing}\n";
  }

  void start(const std::string& more) {
    directory_.write("admin", admin_token);
    directory_.write("password", "the first one");
    directory_.write("signing", first_key_);
    port_ = free_port();
    write_configuration(more);
    process_ = std::make_unique<Process>(Command{{keygate_binary(), "keyserver", "-c", directory_ / "keyserver.yaml"}});
    ASSERT_TRUE(eventually([&] { return said("is serving") || process_->exited(); }));
    ASSERT_TRUE(said("is serving")) << process_->errors();
  }

  bool said(const std::string& text) const { return process_->errors().find(text) != std::string::npos; }

  json::object call(const std::string& line, const std::string& body = "{}") {
    const Response response =
        test::ask(port_, line + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + admin_token +
                             "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_LT(response.status, 300) << response.body;
    return json::parse(response.body).as_object();
  }
  json::object create() { return call("POST /v1/keys", R"({"organization_id": "org_1", "scopes": ["a:read"]})"); }
  bool is_pushed(const json::object& key) {
    return call("DELETE /v1/keys/" + text_of(key, "key_id")).at("pushed").as_bool();
  }
  std::string name_of(const json::object& key) {
    return "keygate:v1:key:" + sha256_of_file(directory_.write("key", text_of(key, "key")));
  }

  // Whether what Redis has there was signed with `key`.
  bool is_signed(const std::string& name, const std::string& key) const {
    const std::string value = redis_.command({"GET", name});
    const std::size_t end = value.find('\n');
    const std::string text = name + "\n" + value.substr(0, end);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    const void* bytes = text.data();
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), static_cast<const unsigned char*>(bytes), text.size(),
         digest.data(), &size);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
      hex += "0123456789abcdef"[digest[i] >> 4];
      hex += "0123456789abcdef"[digest[i] & 15];
    }
    return end != std::string::npos && value.substr(end + 1) == hex;
  }

  const std::string first_key_ = std::string(40, 'f'), second_key_ = std::string(40, 's');
  Redis redis_{{.password = "the first one"}};
  TempDir directory_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Process> process_;
};

TEST_F(KeyServerWithRedis, ANewKeyIsNotBuriedThere) {
  start(with_redis());
  const json::object made = create(), old = create();
  const json::object fresh = call("POST /v1/keys/" + text_of(old, "key_id") + "/rotate");
  // Changes are told in their order.
  ASSERT_TRUE(eventually([&] { return redis_.command({"EXISTS", name_of(old)}) == "1"; }));
  EXPECT_EQ(redis_.command({"EXISTS", name_of(made)}), "0");
  EXPECT_EQ(redis_.command({"EXISTS", name_of(fresh)}), "0");
}

TEST_F(KeyServerWithRedis, AReloadTakesTheNewPasswordAndTheNewSigningKey) {
  start(with_redis());
  ASSERT_TRUE(eventually([&] { return is_pushed(create()); }));
  const json::object first = create();
  ASSERT_TRUE(is_pushed(first));
  EXPECT_TRUE(is_signed(name_of(first), first_key_));
  redis_.command({"CONFIG", "SET", "requirepass", "the second one"});
  redis_.command({"CLIENT", "KILL", "USER", "default"});
  ASSERT_TRUE(eventually([&] { return !is_pushed(create()); })) << "the first password is still good";
  directory_.write("password", "the second one");
  directory_.write("signing", second_key_);
  process_->signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return is_pushed(create()); })) << process_->errors();
  const json::object second = create();
  ASSERT_TRUE(is_pushed(second));
  EXPECT_TRUE(is_signed(name_of(second), second_key_));
}

TEST_F(KeyServerWithRedis, AReloadWhoseSecretsCannotBeReadChangesNothing) {
  start(with_redis());
  directory_.write("signing", "short");
  process_->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return said("reload refused"); }));
  ASSERT_TRUE(eventually([&] { return is_pushed(create()); }));
  const json::object key = create();
  ASSERT_TRUE(is_pushed(key));
  EXPECT_TRUE(is_signed(name_of(key), first_key_));
}

TEST_F(KeyServerWithRedis, SaysThatItIsRedisWhichCannotBeTold) {
  start(with_redis());
  ASSERT_TRUE(eventually([&] { return is_pushed(create()); }));
  redis_.kill();
  EXPECT_FALSE(is_pushed(create()));
  EXPECT_TRUE(eventually([&] {
    return said("redis cannot be told of a revoked or changed key yet: it cannot be reached");
  })) << process_->errors();
}

TEST_F(KeyServerWithRedis, ARedisThatHasComeOrGoneNeedsARestart) {
  start(with_redis());
  write_configuration("resolution: {store: {path: keys.db}}\n");
  process_->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return said("resolution.redis has come or gone: that needs a restart"); }));
  EXPECT_TRUE(eventually([&] { return said("reload refused"); }));
}

}  // namespace
}  // namespace keygate::test
