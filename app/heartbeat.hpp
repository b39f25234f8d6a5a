// Whether every worker's loop still turns: each is asked to answer now and then, and one that has not for a while
// stands still. On the control thread. A dependency that is down never shows here: that is no reason to restart
// anything.
#pragma once

#include "app/worker_thread.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace keygate::app {

class Heartbeat {
 public:
  static constexpr std::chrono::seconds interval{2};
  static constexpr std::uint64_t max_missed = 5;

  // `meanwhile` is called at each beat.
  Heartbeat(net::io_context& control, const std::vector<std::unique_ptr<WorkerThread>>& workers,
            std::function<void()> meanwhile);

  void start();
  bool is_live() const;

 private:
  void ask();

  const std::vector<std::unique_ptr<WorkerThread>>& workers_;
  const std::function<void()> meanwhile_;
  proxy::SteadyTimer timer_;
  std::uint64_t asked_ = 0;  // how often each worker was
};

}  // namespace keygate::app
