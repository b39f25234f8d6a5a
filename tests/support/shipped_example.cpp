#include "tests/support/shipped_example.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <signal.h>
#include <stdexcept>
#include <utility>

namespace keygate::test {

ShippedExample::ShippedExample(std::string_view name, std::vector<std::string> environment, std::string_view file)
    : ShippedKeys(example_file(name, file)), environment_(std::move(environment)) {
  const bool has_store = std::ranges::any_of(
      environment_, [](const std::string& variable) { return variable.starts_with("KEYGATE_STORE="); });
  if (!has_store) {
    environment_.push_back("KEYGATE_STORE=" + (directory_ / "keygate.db"));
  }
}

void ShippedExample::start() {
  for (int attempt = 0; attempt < 3; ++attempt) {
    port_ = free_port();
    health_port_ = free_port();
    process_ =
        std::make_unique<Process>(Command{{keygate_binary(), "run", "-c", config_file()}, environment(), "", ""});
    eventually([&] { return process_->exited() || readiness() == 200; });
    if (!process_->exited() && readiness() == 200) {
      return;
    }
  }
  throw std::runtime_error("keygate does not come up: " + process_->errors());
}

void ShippedExample::stop() {
  process_->signal(SIGTERM);
  eventually([&] { return process_->exited() || readiness() != 200; });
  process_->signal(SIGTERM);
  const auto status = process_->wait();
  EXPECT_TRUE(status && status->signal == 0) << process_->errors();
  EXPECT_FALSE(has_sanitizer_report(process_->errors())) << process_->errors();
}

std::vector<std::string> ShippedExample::environment() const {
  std::vector<std::string> all = environment_;
  all.push_back("KEYGATE_LISTEN=127.0.0.1:" + std::to_string(port_));
  all.push_back("KEYGATE_HEALTH=127.0.0.1:" + std::to_string(health_port_));
  return all;
}

int ShippedExample::readiness() const {
  try {
    return ask(health_port_, "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").status;
  } catch (const std::exception&) {
    return 0;
  }
}

}  // namespace keygate::test
