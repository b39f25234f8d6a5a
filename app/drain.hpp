// Leaving without cutting anybody off (docs/configuration.md): answers say "Connection: close"; after drain_delay the
// listeners close, once their queues are empty; requests in flight end, those on their way come in; whoever has not
// ended after drain_timeout is cut.
#pragma once

#include "app/worker_thread.hpp"
#include "config/settings.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace keygate::app {

class Drain {
 public:
  // `on_done` is called once on the control thread: nothing is in flight any more, or drain_timeout has passed.
  Drain(net::io_context& control, std::vector<std::unique_ptr<WorkerThread>>& workers,
        const config::LimitSettings& limits, std::function<void()> on_done);

  void begin();

 private:
  void close_listeners();
  void look_again();
  void count_down(std::size_t clients);
  void finish();

  net::io_context& control_;
  std::vector<std::unique_ptr<WorkerThread>>& workers_;
  const std::chrono::milliseconds delay_;
  const std::chrono::milliseconds timeout_;
  std::function<void()> on_done_;
  proxy::SteadyTimer timer_, last_;
  proxy::SteadyClock::time_point give_up_at_, send_idle_away_at_;
  std::size_t answers_missing_ = 0;
  std::size_t clients_left_ = 0;
};

}  // namespace keygate::app
