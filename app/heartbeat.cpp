#include "app/heartbeat.hpp"

#include "app/service_manager.hpp"

#include <algorithm>
#include <utility>

namespace keygate::app {

Heartbeat::Heartbeat(net::io_context& control, const std::vector<std::unique_ptr<WorkerThread>>& workers,
                     std::function<void()> meanwhile)
    : workers_(workers), meanwhile_(std::move(meanwhile)), timer_(control) {}

void Heartbeat::start() { ask(); }

void Heartbeat::ask() {
  if (is_live()) {
    tell_service_manager("WATCHDOG=1");  // for units with WatchdogSec; others pass over it
  }
  ++asked_;
  meanwhile_();
  for (const auto& worker : workers_) {
    worker->post([](WorkerThread& thread) { thread.beat(); });
  }
  timer_.expires_after(interval);
  timer_.async_wait([this](error_code error) {
    if (!error) {
      ask();
    }
  });
}

bool Heartbeat::is_live() const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [&](const auto& worker) { return worker->beats() + max_missed >= asked_; });
}

}  // namespace keygate::app
