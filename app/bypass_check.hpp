// Can an application be reached around Keygate? One that is asked on loopback is meant to answer there alone: its port
// is tried on this machine's other addresses, one connection at a time, now and then. On the control thread.
#pragma once

#include "app/machine_addresses.hpp"
#include "config/settings.hpp"
#include "keys/asio.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::app {

class BypassCheck {
 public:
  static constexpr std::chrono::milliseconds first_pause{1'000};
  static constexpr std::chrono::milliseconds longest_pause{60'000};
  static constexpr std::chrono::seconds patience{1};  // of one connection
  static constexpr std::size_t max_addresses = 32;
  static constexpr std::size_t max_ports = 32;

  using Addresses = std::function<std::optional<std::vector<net::ip::address>>()>;
  explicit BypassCheck(net::io_context& control, Addresses addresses = machine_addresses,
                       std::chrono::milliseconds first = first_pause);
  ~BypassCheck();
  BypassCheck(const BypassCheck&) = delete;
  BypassCheck& operator=(const BypassCheck&) = delete;

  // Begins anew, with the upstreams on loopback of these, unless their answer is to ignore it. What is known of a port
  // stays known.
  void apply(const config::Settings& settings);

  struct Finding {
    std::string upstream;
    std::string place{};  // where somebody answers: "10.0.0.5:3000"; empty: nowhere
  };
  // One for each upstream on loopback that has been looked at.
  const std::vector<Finding>& findings() const;
  bool is_exposed() const;
  // Why requests should not come yet: somebody is there, or not each port has been looked at. A look that could not be
  // taken, for want of descriptors say, is none. Empty unless `not_ready` is asked for.
  std::string_view unready() const;
  // From the last look to the next. Two firsts at most until each application has answered on loopback, as one may come
  // up after us; then twice as long each time, up to the longest.
  std::chrono::milliseconds pause() const;

 private:
  struct State;
  static Awaitable<void> look(std::shared_ptr<State> state, unsigned round, std::vector<net::ip::address> addresses);
  static Awaitable<void> run(std::shared_ptr<State> state, unsigned round);
  const std::shared_ptr<State> state_;
};

}  // namespace keygate::app
