#include "tests/support/shipped_key_service.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <stdexcept>

namespace keygate::test {
namespace {

std::string made_up_token(std::string_view name) { return std::string(name) + "-token-0123456789abcdefghijklmnop"; }

bool is_ready(std::uint16_t health_port) {
  try {
    return ask(health_port, "GET /readyz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").status == 200;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

ShippedKeyService::ShippedKeyService(std::string_view example) : ShippedKeys(example_file(example, "keyserver.yaml")) {
  for (const char* const name : {"proxy", "manage", "admin"}) {
    directory_.write(std::string(name) + ".token", made_up_token(name) + "\n");
  }
  start();
}

ShippedKeyService::~ShippedKeyService() {
  process_->signal(SIGTERM);
  eventually([&] { return process_->exited() || !is_ready(health_port_); });
  process_->signal(SIGTERM);
  const auto status = process_->wait();
  EXPECT_TRUE(status && status->signal == 0) << process_->errors();
  EXPECT_FALSE(has_sanitizer_report(process_->errors())) << process_->errors();
  EXPECT_FALSE(is_key_in(process_->errors())) << "a key is in the key server's log";
  std::string in_redis;
  const std::string names = redis_.command({"KEYS", "*"});
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t end = std::min(names.find('\n', at), names.size());
    in_redis += redis_.command({"GET", names.substr(at, end - at)});
    at = end + 1;
  }
  EXPECT_FALSE(is_key_in(names + in_redis)) << "a key is in Redis";
}

void ShippedKeyService::start() {
  for (int attempt = 0; attempt < 3; ++attempt) {
    port_ = free_port();
    health_port_ = free_port();
    process_ =
        std::make_unique<Process>(Command{{keygate_binary(), "keyserver", "-c", config_file()}, environment(), "", ""});
    eventually([&] { return process_->exited() || is_ready(health_port_); });
    if (!process_->exited()) {
      return;
    }
  }
  throw std::runtime_error("the key server does not come up: " + process_->errors());
}

std::vector<std::string> ShippedKeyService::environment() const {
  const std::string here = "127.0.0.1:";
  return {"KEYGATE_STORE=" + (directory_ / "keygate.db"),
          "KEYGATE_TOKENS=" + directory_.path().string(),
          "REDIS_URL=" + redis_.url(),
          "KEYSERVER_LISTEN=" + here + std::to_string(port_),
          "KEYSERVER_HEALTH=" + here + std::to_string(health_port_),
          "KEYSERVER_URL=" + address_of(port_)};
}

std::string ShippedKeyService::token(std::string_view name) const { return made_up_token(name); }

Response ShippedKeyService::call(std::string_view method, std::string_view target, std::string_view token_name,
                                 const std::string& body, const std::string& fields) const {
  const std::string length = body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return ask(port_, std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: keys\r\n" +
                        "Authorization: Bearer " + token(token_name) + "\r\n" + fields + length + "\r\n" + body);
}

}  // namespace keygate::test
