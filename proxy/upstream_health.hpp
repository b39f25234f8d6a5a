// What the health checks have found out about an upstream's endpoints, for all workers: one of them checks.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

namespace keygate::proxy {

class UpstreamHealth {
 public:
  // All are taken for healthy until something else is known.
  explicit UpstreamHealth(std::size_t endpoints) : is_sick_(std::make_unique<std::atomic<bool>[]>(endpoints)) {}

  bool is_sick(std::size_t endpoint) const { return is_sick_[endpoint].load(std::memory_order_relaxed); }
  void set_sick(std::size_t endpoint, bool is_sick) { is_sick_[endpoint].store(is_sick, std::memory_order_relaxed); }

 private:
  std::unique_ptr<std::atomic<bool>[]> is_sick_;
};

}  // namespace keygate::proxy
