#include "app/server.hpp"

#include "app/drain.hpp"
#include "app/file_watch.hpp"
#include "app/fixed_settings.hpp"
#include "app/health.hpp"
#include "app/heartbeat.hpp"
#include "app/limits.hpp"
#include "app/listeners.hpp"
#include "app/prepare.hpp"
#include "app/thread_count.hpp"
#include "app/worker_thread.hpp"
#include "keys/store_thread.hpp"
#include "proxy/address_seats.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <unistd.h>
#include <utility>

namespace keygate::app {
namespace {

using telemetry::Level;
using telemetry::log;

telemetry::Level level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::debug:
      return Level::debug;
    case config::LogLevel::info:
      return Level::info;
    case config::LogLevel::warn:
      return Level::warn;
    case config::LogLevel::error:
      return Level::error;
  }
  return Level::info;
}

std::vector<std::string> names_of(const std::vector<config::ListenerSettings>& listeners) {
  std::vector<std::string> names;
  for (const auto& listener : listeners) {
    names.push_back(name_of(listener));
  }
  return names;
}

}  // namespace

void configure_logging(const config::Settings& settings) {
  telemetry::configure_log({level_of(settings.log.level), settings.log.format == config::LogFormat::json});
}

struct Server::Impl {
  explicit Impl(Parts given)
      : parts(std::move(given)), snapshot(parts.snapshot), signals(control), access_log(STDOUT_FILENO) {}

  const config::Settings& settings() const { return *snapshot->settings; }

  std::optional<std::string> open_store();
  void forget(const std::vector<keys::KeyDigest>& changed);
  std::optional<std::string> open_health();
  void make_workers(std::size_t count, std::size_t max_clients);
  void wait_for_signal();
  void on_signal(int number);
  void reload();
  std::optional<std::string> publish(std::shared_ptr<const proxy::Snapshot> next);

  Parts parts;
  std::shared_ptr<const proxy::Snapshot> snapshot;
  net::io_context control{1};
  net::signal_set signals;
  telemetry::AccessLog access_log;
  std::unique_ptr<keys::StoreThread> store;
  proxy::AddressSeats seats;
  keys::LimitTable limits;
  std::vector<std::unique_ptr<WorkerThread>> workers;
  Heartbeat heartbeat{control, workers, [this] { proxy::forget_old_tickets(snapshot->tls); }};
  std::unique_ptr<HealthServer> health;
  std::unique_ptr<Drain> drain;
  config::FileStates last_read;
  FileWatch files{control, [this](const std::string& changed) {
                    log(Level::info, "changed: " + changed);
                    reload();
                  }};
  std::uint64_t generations = 1;
};

std::optional<std::string> Server::Impl::open_store() {
  if (!settings().resolution.store) {
    return std::nullopt;
  }
  const auto& path = settings().resolution.store->path;
  // A digest that any process has changed is forgotten by every worker. By way of the control thread, whose list they
  // are.
  auto opened = keys::StoreThread::start(path, [this](const std::vector<keys::KeyDigest>& changed) {
    net::post(control, [this, changed] { forget(changed); });
  });
  if (!opened) {
    return "cannot open the key store " + path + ": " + opened.error().message();
  }
  store = std::move(*opened);
  return std::nullopt;
}

void Server::Impl::forget(const std::vector<keys::KeyDigest>& changed) {
  for (const auto& worker : workers) {
    worker->post([changed](WorkerThread& thread) {
      for (const keys::KeyDigest& digest : changed) {
        thread.worker().invalidate(digest);
      }
    });
  }
}

std::optional<std::string> Server::Impl::open_health() {
  if (!settings().health) {
    return std::nullopt;
  }
  HealthChecks checks;
  checks.is_live = [this] { return heartbeat.is_live(); };
  checks.is_ready = [this] { return drain == nullptr; };
  auto opened = HealthServer::open(control, *settings().health, std::move(checks));
  if (!opened) {
    return "cannot listen on " + name_of(*settings().health) + ": " + opened.error().message();
  }
  health = std::move(*opened);
  return std::nullopt;
}

void Server::Impl::make_workers(std::size_t count, std::size_t max_clients) {
  for (std::size_t i = 0; i < count; ++i) {
    proxy::Worker::Parts of_worker;
    of_worker.snapshot = snapshot;
    of_worker.access_log = &access_log;
    of_worker.access_format = parts.access_format;
    of_worker.store = store.get();
    of_worker.workers = count;
    of_worker.index = i;
    of_worker.max_clients = std::max<std::size_t>(1, max_clients / count);
    of_worker.seats = &seats;
    of_worker.limits = &limits;
    workers.push_back(std::make_unique<WorkerThread>(std::move(of_worker)));
  }
}

void Server::Impl::wait_for_signal() {
  signals.async_wait([this](error_code error, int number) {
    if (!error) {
      on_signal(number);
      wait_for_signal();
    }
  });
}

void Server::Impl::on_signal(int number) {
  if (number == SIGHUP) {
    reload();
    return;
  }
  if (drain) {
    log(Level::warn, "told to stop again: ending at once");
    std::_Exit(EXIT_FAILURE);
  }
  log(Level::info, "draining");
  files.stop();
  drain = std::make_unique<Drain>(control, workers, settings().limits, [this] { control.stop(); });
  drain->begin();
}

void Server::Impl::reload() {
  if (parts.config_file.empty() || drain) {
    return;
  }
  if (const std::string* const irregular = config::irregular_among(last_read)) {
    log(Level::error, "reload refused: " + *irregular + " is no file that can be read again");
    return;
  }
  Prepared next = prepare_file(parts.config_file, generations + 1, ReadSecrets::yes, snapshot->tls);
  for (const config::Problem& problem : next.problems) {
    log(problem.severity == config::Severity::error ? Level::error : Level::warn, config::render(problem));
  }
  last_read = next.files;
  const std::optional<std::string> refused =
      next.snapshot ? publish(std::move(next.snapshot)) : std::optional<std::string>("the configuration has faults");
  if (refused) {
    files.watch_as_well(next.files);
    log(Level::error,
        "reload refused, generation " + std::to_string(snapshot->generation) + " stays in force: " + *refused);
  } else {
    files.watch(next.files);
    log(Level::info, "reloaded: generation " + std::to_string(snapshot->generation) + " is in force");
  }
}

// All or nothing: everything that can fail has been done before the first worker hears of it.
std::optional<std::string> Server::Impl::publish(std::shared_ptr<const proxy::Snapshot> next) {
  if (auto changed = fixed_setting_changed(settings(), *next->settings)) {
    return changed;
  }
  const std::vector<std::string> before = names_of(settings().listeners);
  std::vector<config::ListenerSettings> added;
  for (const auto& listener : next->settings->listeners) {
    if (std::find(before.begin(), before.end(), name_of(listener)) == before.end()) {
      added.push_back(listener);
    }
  }
  auto opened = open_listeners(added, workers.size());
  if (const auto* fault = std::get_if<std::string>(&opened)) {
    return *fault;
  }
  auto& by_worker = std::get<OpenedListeners>(opened);
  proxy::forget_old_tickets(next->tls, snapshot->tls);
  snapshot = std::move(next);
  ++generations;
  configure_logging(settings());
  for (std::size_t i = 0; i < workers.size(); ++i) {
    workers[i]->post(
        [to = snapshot, mine = std::move(by_worker[i]), keep = names_of(settings().listeners)](WorkerThread& thread) {
          thread.worker().apply(to);
          thread.renew_listeners();
          thread.listen(mine);
          thread.stop_listening_except(keep);
        });
  }
  return std::nullopt;
}

Server::Server(Parts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}

// Workers end before the store that answers them and the log that they write to.
Server::~Server() {
  impl_->health.reset();
  impl_->drain.reset();
  impl_->workers.clear();
}

std::optional<std::string> Server::start() {
  std::signal(SIGPIPE, SIG_IGN);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    impl_->signals.add(number);
  }
  configure_logging(impl_->settings());
  const config::Settings& settings = impl_->settings();
  if (settings.resolution.store && settings.resolution.redis) {
    return "resolution.redis beside resolution.store is for a key server: this proxy asks its store itself; leave "
           "redis "
           "out";
  }
  const std::size_t count = settings.threads != 0 ? settings.threads : available_threads();
  const Connections connections = fit_connections(settings, count);
  if (connections.fault) {
    return connections.fault;
  }
  auto opened = open_listeners(settings.listeners, count);
  if (const auto* fault = std::get_if<std::string>(&opened)) {
    return *fault;
  }
  if (auto fault = impl_->open_store()) {
    return fault;
  }
  if (auto fault = impl_->open_health()) {
    return fault;
  }
  impl_->make_workers(count, connections.most);
  auto& by_worker = std::get<OpenedListeners>(opened);
  for (std::size_t i = 0; i < count; ++i) {
    impl_->workers[i]->post([mine = std::move(by_worker[i])](WorkerThread& thread) { thread.listen(mine); });
  }
  return std::nullopt;
}

int Server::run() {
  impl_->wait_for_signal();
  for (const auto& worker : impl_->workers) {
    worker->start();
  }
  log(Level::info, "serving with " + std::to_string(impl_->workers.size()) + " threads, generation 1");
  impl_->heartbeat.start();
  if (!impl_->parts.config_file.empty()) {
    impl_->last_read = impl_->parts.files;
    impl_->files.watch(impl_->parts.files);
  }
  if (impl_->parts.on_serving) {
    impl_->parts.on_serving();
  }
  impl_->control.run();
  log(Level::info, "stopped");
  return EXIT_SUCCESS;
}

}  // namespace keygate::app
