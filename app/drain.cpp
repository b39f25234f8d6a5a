#include "app/drain.hpp"

#include "app/service_manager.hpp"
#include "telemetry/log.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

namespace keygate::app {
namespace {

constexpr std::chrono::milliseconds look_interval{20};
constexpr std::chrono::milliseconds worker_grace{1'000};  // beyond drain_timeout, to say how many are left
// Whoever was let in at the last moment has their first request on its way, over a long way maybe.
constexpr std::chrono::milliseconds first_request_time{500};

}  // namespace

Drain::Drain(net::io_context& control, std::vector<std::unique_ptr<WorkerThread>>& workers,
             const config::LimitSettings& limits, std::function<void()> on_done)
    : control_(control),
      workers_(workers),
      delay_(limits.drain_delay),
      timeout_(limits.drain_timeout),
      on_done_(std::move(on_done)),
      timer_(control),
      last_(control) {}

void Drain::begin() {
  tell_service_manager("STOPPING=1");
  give_up_at_ = proxy::SteadyClock::now() + delay_ + timeout_;
  for (const auto& worker : workers_) {
    worker->post([](WorkerThread& thread) { thread.worker().drain(); });
  }
  timer_.expires_after(delay_);
  timer_.async_wait([this](error_code error) {
    if (!error) {
      close_listeners();
    }
  });
  // A worker that stands still answers nobody, and is not waited for either.
  last_.expires_at(give_up_at_ + worker_grace);
  last_.async_wait([this](error_code error) {
    if (!error) {
      telemetry::log(telemetry::Level::error, "drain_timeout has passed, and a worker does not answer: ending at once");
      std::_Exit(EXIT_FAILURE);
    }
  });
}

void Drain::close_listeners() {
  for (const auto& worker : workers_) {
    worker->post([](WorkerThread& thread) { thread.stop_listening(); });
  }
  send_idle_away_at_ = proxy::SteadyClock::now() + std::min(first_request_time, timeout_ / 2);
  look_again();
}

// Asks every worker how many clients it has left, after sending the idle ones away where it is time.
void Drain::look_again() {
  answers_missing_ = workers_.size();
  clients_left_ = 0;
  const bool is_time = proxy::SteadyClock::now() >= send_idle_away_at_;
  for (const auto& worker : workers_) {
    worker->post([this, is_time](WorkerThread& thread) {
      if (is_time) {
        thread.worker().close_idle();
      }
      net::post(control_, [this, clients = thread.worker().client_count] { count_down(clients); });
    });
  }
}

void Drain::finish() {
  last_.cancel();
  on_done_();
}

void Drain::count_down(std::size_t clients) {
  clients_left_ += clients;
  if (--answers_missing_ > 0) {
    return;
  }
  if (clients_left_ == 0) {
    finish();
    return;
  }
  if (proxy::SteadyClock::now() >= give_up_at_) {
    telemetry::log(telemetry::Level::warn,
                   "drain_timeout has passed: " + std::to_string(clients_left_) + " connections are cut");
    finish();
    return;
  }
  timer_.expires_after(look_interval);
  timer_.async_wait([this](error_code error) {
    if (!error) {
      look_again();
    }
  });
}

}  // namespace keygate::app
