// An example of config/examples under test: `keygate run` on the very files that ship, with addresses, tokens and store
// from the environment. For the scenario tests named after customers.
#pragma once

#include "tests/support/shipped_keys.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::test {

// Whether `is_so` comes to hold for good: whichever worker a new connection is given to, each having a memory of its
// own.
template <class IsSo>
bool settles(const IsSo& is_so, std::chrono::milliseconds limit = patience) {
  constexpr int enough = 16;  // connections, so that none of two workers is left out
  return eventually(
      [&] {
        for (int i = 0; i < enough; ++i) {
          if (!is_so()) return false;
        }
        return true;
      },
      limit);
}

class ShippedExample : public ShippedKeys {
 public:
  // `environment`: NAME=value, what the example's files ask for. Without a KEYGATE_STORE in it, one of its own.
  ShippedExample(std::string_view name, std::vector<std::string> environment, std::string_view file = "keygate.yaml");
  ShippedExample(const ShippedExample&) = delete;
  ShippedExample& operator=(const ShippedExample&) = delete;

  // Throws std::runtime_error with its stderr where it does not come up. A port that was free may be taken by the time
  // it is used; anything else goes wrong three times in the same way.
  void start();
  // Does not wait for `drain_delay`: the second SIGTERM ends at once.
  void stop();

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view target) const { return address_of(port_) + std::string(target); }
  std::string output() const { return process_->output(); }
  std::string errors() const { return process_->errors(); }

 private:
  std::vector<std::string> environment() const override;
  int readiness() const;

  TempDir directory_;
  std::vector<std::string> environment_;
  std::uint16_t port_ = 0;
  std::uint16_t health_port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace keygate::test
