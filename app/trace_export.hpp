// Sends the spans of all workers to a collector over OTLP/HTTP, in batches, on the control thread: nothing that happens
// here, or does not, is felt by a request (docs/tracing.md).
#pragma once

#include "app/trace_figures.hpp"
#include "config/tracing_settings.hpp"
#include "keys/backoff.hpp"
#include "keys/http_client.hpp"
#include "telemetry/otlp_json.hpp"
#include "telemetry/trace_backlog.hpp"
#include "telemetry/trace_queue.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>

namespace keygate::app {

class TraceExport {
 public:
  explicit TraceExport(net::io_context& io);
  ~TraceExport();
  TraceExport(const TraceExport&) = delete;
  TraceExport& operator=(const TraceExport&) = delete;

  telemetry::TraceQueue& queue() { return queue_; }

  // On the control thread, as all below. Nothing is interrupted where the collector is the same. Without an endpoint,
  // what is in the queue is let go.
  void apply(const config::TracingSettings& settings, std::shared_ptr<const keys::ClientTls> tls);

  // Sends what there is, without waiting for more; `done` once the queue is empty or a request has failed.
  void finish(std::function<void()> done);

  TraceFigures figures() const;

 private:
  using Clock = std::chrono::steady_clock;

  void wake();
  void send_in(std::chrono::milliseconds wait);
  void send();
  void hear(const keys::HttpAnswer& answer);
  void fail(const std::string& why, std::chrono::milliseconds wait);
  void drop_all();
  void end();

  net::io_context& io_;
  const std::shared_ptr<TraceExport*> self_;  // null once it is gone: for what workers have posted
  telemetry::TraceQueue queue_;
  telemetry::TraceBacklog backlog_;  // on its way
  std::optional<config::ServiceUrl> endpoint_;
  std::shared_ptr<const keys::ClientTls> tls_;
  std::unique_ptr<keys::HttpClient> client_;  // null: tracing is off
  telemetry::OtlpResource resource_;
  keys::Backoff backoff_;
  std::minstd_rand random_;
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> timer_;
  std::function<void()> on_end_;  // set: it is to end
  std::uint64_t exported_ = 0, dropped_ = 0, rejected_ = 0, too_old_ = 0;
  bool is_waiting_ = false, is_sending_ = false, has_failed_ = false, is_unreachable_ = false;
};

}  // namespace keygate::app
