// Keys of a shipped example, made as its README makes them: `keygate keys … -c FILE` with what the file asks for in the
// environment. Every key is remembered, so that a test can look for it where it must not be.
#pragma once

#include "tests/support/keygate.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::test {

// The folder of the sources; __FILE__ may be relative to wherever the compiler ran.
std::filesystem::path source_folder();
std::string example_file(std::string_view example, std::string_view file);

inline std::string address_of(std::uint16_t port) { return "http://127.0.0.1:" + std::to_string(port); }

class ShippedKeys {
 public:
  virtual ~ShippedKeys() = default;

  // `keygate VERB… -c FILE`.
  Finished command(std::vector<std::string> verb) const;

  Key create_key(const std::string& organization, const std::string& scopes,
                 const std::vector<std::string>& more = {"--environment", "live"});
  void remember(const Key& key) { known_keys_.push_back(key.text); }

  // What `keys list --json` says of it.
  boost::json::object listed(const Key& key) const;

  // Whether `text` holds a part of any key that nobody is ever shown again.
  bool is_key_in(std::string_view text) const;

 protected:
  explicit ShippedKeys(std::string config_file) : config_file_(std::move(config_file)) {}
  virtual std::vector<std::string> environment() const = 0;
  const std::string& config_file() const { return config_file_; }

 private:
  std::string config_file_;
  std::vector<std::string> known_keys_;
};

}  // namespace keygate::test
