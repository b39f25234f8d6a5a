// Can an application be reached around Keygate? One that is asked on loopback is meant to answer there alone: its port
// is tried on this machine's other addresses, one connection at a time, now and then. On the control thread.
#pragma once

#include "config/settings.hpp"
#include "keys/asio.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace keygate::app {

// Those of interfaces that are up, loopback left out; empty where the system does not say.
std::vector<net::ip::address> machine_addresses();

class BypassCheck {
 public:
  static constexpr std::chrono::milliseconds first_pause{1'000};
  static constexpr std::chrono::milliseconds longest_pause{60'000};
  static constexpr std::chrono::seconds patience{1};  // of one connection
  static constexpr std::size_t max_addresses = 32;
  static constexpr std::size_t max_ports = 32;

  using Addresses = std::function<std::vector<net::ip::address>()>;
  // Pauses are twice as long each time, up to the longest: an application may come up after us.
  explicit BypassCheck(net::io_context& control, Addresses addresses = machine_addresses,
                       std::chrono::milliseconds first = first_pause);
  ~BypassCheck();
  BypassCheck(const BypassCheck&) = delete;
  BypassCheck& operator=(const BypassCheck&) = delete;

  // Begins anew, with the upstreams on loopback of these, unless their answer is to ignore it.
  void apply(const config::Settings& settings);

  struct Finding {
    std::string upstream;
    std::string place{};  // where it answered: "10.0.0.5:3000"; empty: nowhere
  };
  // One for each upstream on loopback, once all have been tried.
  const std::vector<Finding>& findings() const;
  bool is_exposed() const;

 private:
  struct Plan;
  struct State;
  static Plan plan_for(const config::Settings& settings);
  static Awaitable<std::vector<Finding>> look(net::io_context& io, const Plan& plan,
                                              std::vector<net::ip::address> addresses);
  static Awaitable<void> run(std::shared_ptr<State> state, unsigned round, Plan plan);
  const std::shared_ptr<State> state_;
};

}  // namespace keygate::app
