// How many look-ups of keys that nobody knows may one client address cause, and all together? Pure: `now` is passed in.
// Whoever sprays keys gets a slow lane (keys/slow_lane), and the service behind has its peace (C-08).
// One a worker, shared by its resolvers, on its thread only.
#pragma once

#include "config/settings.hpp"
#include "keys/memory_cache.hpp"

#include <boost/functional/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace keygate::keys {

// Who asks, as budgets count: an IPv4 address (mapped into IPv6), or the /64 of an IPv6 one.
using AskerAddress = std::array<std::uint8_t, 16>;
using AskerHash = boost::hash<AskerAddress>;

class UnknownKeyBudget {
 public:
  // `workers`: among whom the process' rates are divided.
  UnknownKeyBudget(const config::BudgetSettings& settings, std::size_t workers);

  // New rates from a reload. What has been spent stays spent.
  void apply(const config::BudgetSettings& settings);

  // A key that `asker` presented is known to nobody.
  void spend(const AskerAddress& asker, SteadyTime now);

  // Whether `asker` has to take the slow lane: its own second's worth is gone; or everybody's is, and it is among those
  // who have spent of it.
  bool is_spent(const AskerAddress& asker, SteadyTime now) const;

  std::size_t addresses() const { return full_at_.size(); }  // remembered

 private:
  // A bucket that holds one second's worth, as the moment at which it will be full again.
  struct Rate {
    std::chrono::nanoseconds interval{0};  // between two; 0: no limit
    bool is_spent(SteadyTime full_at, SteadyTime now) const;
    SteadyTime after_spending(SteadyTime full_at, SteadyTime now) const;
  };
  static Rate share(std::uint64_t per_second, std::size_t workers);
  void forget_the_replenished(SteadyTime now);

  const std::size_t workers_;
  Rate per_address_, total_;
  SteadyTime total_full_at_{};
  boost::unordered_flat_map<AskerAddress, SteadyTime, AskerHash> full_at_;
  std::size_t sweep_at_ = 1'024;  // entries; then those who have spent nothing any more are forgotten
};

}  // namespace keygate::keys
