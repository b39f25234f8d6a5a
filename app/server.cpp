#include "app/server.hpp"

#include "app/limits.hpp"
#include "app/listeners.hpp"
#include "app/server_impl.hpp"
#include "app/service_manager.hpp"
#include "app/thread_count.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
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

}  // namespace

void configure_logging(const config::Settings& settings) {
  telemetry::configure_log({level_of(settings.log.level), settings.log.format == config::LogFormat::json});
}

std::optional<std::string> Server::Impl::open_store() {
  if (!settings().resolution.store) {
    return std::nullopt;
  }
  const auto& path = settings().resolution.store->path;
  // A digest that any process has changed is forgotten by every worker. By way of the control thread, whose list they
  // are.
  auto opened = keys::StoreThread::start(path, [this](const std::vector<keys::KeyDigest>& changed) {
    net::post(control, [this, changed] {
      store_changes += changed.size();
      forget(changed);
    });
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
    of_worker.traces = &traces.queue();
    of_worker.onlooker = parts.onlooker;
    of_worker.keeps_recent = settings().admin.has_value();
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
  config::LimitSettings of_drain = settings().limits;
  if (is_leaving) of_drain.drain_delay = {};  // everybody has been told already
  drain = std::make_unique<Drain>(control, workers, of_drain, [this] { control.stop(); });
  drain->begin();
}

// What the last requests were, within a second.
void Server::Impl::send_last_traces() {
  control.restart();
  traces.finish([this] { control.stop(); });
  control.run_for(std::chrono::seconds(1));
}

Server::Server(Parts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}

// Workers end before the store that answers them and the log that they write to.
Server::~Server() {
  impl_->admin.reset();
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
  if (auto fault = impl_->open_admin()) {
    return fault;
  }
  impl_->traces.apply(settings.tracing, impl_->snapshot->secrets.tracing_tls);
  impl_->bypass.apply(settings);
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
  impl_->send_last_traces();
  log(Level::info, "stopped");
  return EXIT_SUCCESS;
}

}  // namespace keygate::app
