// An example of config/examples under test: `keygate` on the very files that ship, with addresses and store from the
// environment. For the scenario tests named after customers.
#pragma once

#include "tests/support/keygate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keygate::test {

// The folder of the sources; __FILE__ may be relative to wherever the compiler ran.
std::filesystem::path source_folder();

inline std::string address_of(std::uint16_t port) { return "http://127.0.0.1:" + std::to_string(port); }

// The YAML of later versions, which the files carry as lines of '#' and at least two spaces, made part of the file.
inline std::string with_what_comes_later(const std::string& text) {
  std::string result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    result += line.starts_with("#  ") ? line.substr(1) : line;
    begin = end;
  }
  return result;
}

class ShippedExample {
 public:
  // `environment`: NAME=value, what else the example's files ask for.
  ShippedExample(std::string_view name, std::vector<std::string> environment)
      : config_file_((source_folder() / "config/examples" / name / "keygate.yaml").string()),
        environment_(std::move(environment)) {
    environment_.push_back("KEYGATE_STORE=" + (directory_ / "keygate.db"));
  }
  ShippedExample(const ShippedExample&) = delete;
  ShippedExample& operator=(const ShippedExample&) = delete;

  // Throws std::runtime_error with its stderr where it does not come up. A port that was free may be taken by the time
  // it is used; anything else goes wrong three times in the same way.
  void start() {
    for (int attempt = 0; attempt < 3; ++attempt) {
      port_ = free_port();
      health_port_ = free_port();
      process_ =
          std::make_unique<Process>(Command{{keygate_binary(), "run", "-c", config_file_}, environment(), "", ""});
      eventually([&] { return process_->exited() || readiness() == 200; });
      if (!process_->exited() && readiness() == 200) {
        return;
      }
    }
    throw std::runtime_error("keygate does not come up: " + process_->errors());
  }

  // Does not wait for `drain_delay`: the second SIGTERM ends at once.
  void stop() {
    process_->signal(SIGTERM);
    eventually([&] { return process_->exited() || readiness() != 200; });
    process_->signal(SIGTERM);
    const auto status = process_->wait();
    EXPECT_TRUE(status && status->signal == 0) << process_->errors();
    EXPECT_FALSE(has_sanitizer_report(process_->errors())) << process_->errors();
  }

  // `keygate VERB… -c FILE`.
  Finished command(std::vector<std::string> verb) const {
    verb.insert(verb.begin(), keygate_binary());
    verb.insert(verb.end(), {"-c", config_file_});
    return run({verb, environment(), "", ""});
  }

  Key create_key(const std::string& organization, const std::string& scopes,
                 const std::vector<std::string>& more = {"--environment", "live"}) {
    std::vector<std::string> verb{"keys", "create", "--json", "--organization", organization, "--scopes", scopes};
    verb.insert(verb.end(), more.begin(), more.end());
    const Finished finished = command(verb);
    if (finished.status.code != 0) {
      throw std::runtime_error("no key: " + finished.errors);
    }
    const auto made = boost::json::parse(finished.output).as_object();
    known_keys_.push_back(text_of(made, "key"));
    return {text_of(made, "key_id"), text_of(made, "key")};
  }

  // What `keys list --json` says of it.
  boost::json::object listed(const Key& key) const {
    const auto all = boost::json::parse(command({"keys", "list", "--json"}).output);
    for (const auto& one : all.at("keys").as_array()) {
      if (text_of(one.as_object(), "key_id") == key.id) {
        return one.as_object();
      }
    }
    ADD_FAILURE() << key.id << " is not in the list";
    return {};
  }

  // Whether `text` holds a part of any key that nobody is ever shown again.
  bool is_key_in(std::string_view text) const {
    for (const std::string& key : known_keys_) {
      if (text.find(std::string_view(key).substr(14)) != std::string_view::npos) {
        return true;
      }
    }
    return false;
  }

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view target) const { return address_of(port_) + std::string(target); }
  std::string output() const { return process_->output(); }
  std::string errors() const { return process_->errors(); }

 private:
  std::vector<std::string> environment() const {
    std::vector<std::string> all = environment_;
    all.push_back("KEYGATE_LISTEN=127.0.0.1:" + std::to_string(port_));
    all.push_back("KEYGATE_HEALTH=127.0.0.1:" + std::to_string(health_port_));
    return all;
  }

  int readiness() const {
    try {
      return ask(health_port_, "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").status;
    } catch (const std::exception&) {
      return 0;
    }
  }

  TempDir directory_;
  std::string config_file_;
  std::vector<std::string> environment_;
  std::uint16_t port_ = 0;
  std::uint16_t health_port_ = 0;
  std::unique_ptr<Process> process_;
  std::vector<std::string> known_keys_;
};

}  // namespace keygate::test
