// The parts of a Server: what is built and run (server.cpp), changed while it runs (server_reload.cpp), and looked at
// (server_operations.cpp).
#pragma once

#include "app/admin_server.hpp"
#include "app/bounded_end.hpp"
#include "app/bypass_check.hpp"
#include "app/drain.hpp"
#include "app/file_watch.hpp"
#include "app/forwarded_probes.hpp"
#include "app/health.hpp"
#include "app/heartbeat.hpp"
#include "app/metrics.hpp"
#include "app/server.hpp"
#include "app/survey.hpp"
#include "app/trace_export.hpp"
#include "app/worker_thread.hpp"
#include "keys/limit_table.hpp"
#include "keys/store_thread.hpp"
#include "proxy/address_seats.hpp"
#include "telemetry/access_log.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace keygate::app {

struct Server::Impl {
  explicit Impl(Parts given)
      : parts(std::move(given)), snapshot(parts.snapshot), signals(control), access_log(STDOUT_FILENO) {}

  const config::Settings& settings() const { return *snapshot->settings; }

  std::optional<std::string> open_store();
  void forget(const std::vector<keys::KeyDigest>& changed);
  std::optional<std::string> open_health();
  std::optional<std::string> open_admin();
  AdminDesk admin_desk();
  std::string_view unready() const;
  void begin_leaving();
  void send_last_traces();
  void make_workers(std::size_t count, std::size_t max_clients);
  void wait_for_signal();
  void on_signal(int number);
  std::optional<std::string> reload();  // a sentence where it is refused
  ServerFigures figures() const;
  std::optional<std::string> publish(std::shared_ptr<const proxy::Snapshot> next);

  Parts parts;
  std::shared_ptr<const proxy::Snapshot> snapshot;
  BoundedLoop control_loop;  // gone last: the access log has been written by then
  net::io_context& control = control_loop.io();
  net::signal_set signals;
  telemetry::AccessLog access_log;
  TraceExport traces{control};
  std::unique_ptr<keys::StoreThread> store;
  proxy::AddressSeats seats;
  keys::LimitTable limits;
  std::vector<std::unique_ptr<WorkerThread>> workers;
  Heartbeat heartbeat{control, workers, [this] { proxy::forget_old_tickets(snapshot->tls); }};
  Survey survey{control, workers};
  ForwardedProbes probes{control};
  BypassCheck bypass{control};
  std::unique_ptr<HealthServer> health;
  std::unique_ptr<AdminServer> admin;
  std::unique_ptr<Drain> drain;
  config::FileStates last_read;
  FileWatch files{control, [this](const std::string& changed) {
                    telemetry::log(telemetry::Level::info, "changed: " + changed);
                    reload();
                  }};
  std::uint64_t generations = 1;
  std::uint64_t store_changes = 0;
  const std::chrono::system_clock::time_point started_at = std::chrono::system_clock::now();
  ReloadState last_reload{started_at};
  bool is_leaving = false;  // told to by the admin listener: not ready, and waiting to be told to stop
};

}  // namespace keygate::app
