#include "app/key_server.hpp"

#include "app/file_watch.hpp"
#include "app/health.hpp"
#include "app/key_session.hpp"
#include "app/limits.hpp"
#include "app/service_manager.hpp"
#include "app/worker_thread.hpp"
#include "proxy/listener.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <list>
#include <utility>

namespace keygate::app {
namespace {

using telemetry::Level;
using telemetry::log;

constexpr std::chrono::milliseconds accept_backoff{50};
constexpr std::chrono::milliseconds look_interval{20};
constexpr std::chrono::seconds last_wait{1};

void close_now(proxy::TcpAcceptor& acceptor) {
  error_code ignored;
  acceptor.close(ignored);
}

Awaitable<void> run_session(std::shared_ptr<KeyConnection> connection, std::shared_ptr<KeyServerState> state) {
  co_await serve(connection, state);
}

void start_session(const std::shared_ptr<KeyServerState>& state, proxy::TcpSocket socket) {
  auto connection = std::make_shared<KeyConnection>(std::move(socket));
  state->connections.push_back(connection.get());
  net::co_spawn(state->io, run_session(connection, state), [state, connection](const std::exception_ptr& thrown) {
    std::erase(state->connections, connection.get());
    if (thrown) log(Level::error, "a connection of the key server ended by a fault");
  });
}

Awaitable<void> accept_all(std::shared_ptr<KeyServerState> state, std::shared_ptr<proxy::TcpAcceptor> acceptor,
                           std::size_t max_connections) {
  proxy::SteadyTimer pause(state->io);
  while (acceptor->is_open()) {
    auto [error, socket] = co_await acceptor->async_accept(use_tuple);
    if (error == net::error::operation_aborted) {
      co_return;
    }
    if (error) {
      pause.expires_after(accept_backoff);
      co_await pause.async_wait(use_tuple);
    } else if (state->connections.size() < max_connections) {
      start_session(state, std::move(socket));
    } else {
      telemetry::log_seldom(Level::warn, "connections", "limits.connections reached: new connections are closed");
    }
  }
}

}  // namespace

struct KeyServer::Impl {
  explicit Impl(Parts given) : parts(std::move(given)) { state->rules = parts.rules; }

  const config::Settings& settings() const { return *parts.rules->settings; }
  std::optional<std::string> open_store();
  std::optional<std::string> listen(std::size_t max_connections);
  std::optional<std::string> open_health();
  void wait_for_signal();
  void on_signal(int number);
  void reload();
  void drain();
  void close_listeners();
  void look_again();
  void end();

  Parts parts;
  net::io_context io{1};
  net::signal_set signals{io};
  proxy::SteadyTimer timer{io};
  std::chrono::steady_clock::time_point give_up_at;
  const std::shared_ptr<KeyServerState> state = std::make_shared<KeyServerState>(io);
  std::vector<std::shared_ptr<proxy::TcpAcceptor>> acceptors;
  std::unique_ptr<HealthServer> health;
  FileWatch files{io, [this](const std::string& changed) {
                    log(Level::info, "changed: " + changed);
                    reload();
                  }};
  int status = EXIT_FAILURE;  // until it has served
};

std::optional<std::string> KeyServer::Impl::open_store() {
  if (parts.make_sink) state->sink = parts.make_sink(io);
  const auto& resolution = settings().resolution;
  const auto bound = std::chrono::duration_cast<std::chrono::seconds>(resolution.staleness_bound);
  auto opened =
      KeyStoreThread::start(resolution.store->path, bound, [this](const std::vector<keys::Store::Change>& changes) {
        net::post(io, [sharing = std::weak_ptr<KeyServerState>(state), changes] {
          const auto sharer = sharing.lock();
          if (!sharer || !sharer->sink) return;
          for (const keys::Store::Change& one : changes) sharer->sink->changed(one.digest, one.change, {});
        });
      });
  if (!opened) return "cannot open the key store " + resolution.store->path + ": " + opened.error().message();
  state->store = std::move(*opened);
  return std::nullopt;
}

std::optional<std::string> KeyServer::Impl::listen(std::size_t max_connections) {
  for (const config::ListenerSettings& listener : settings().listeners) {
    error_code failed = proxy::probe_address(listener);
    Result<proxy::ListeningSocket> opened =
        failed ? Result<proxy::ListeningSocket>(failed) : proxy::open_listener(listener);
    if (!opened) return "cannot listen on " + name_of(listener) + ": " + opened.error().message();
    const bool is_v6 = listener.host.find(':') != std::string::npos;
    auto acceptor =
        std::make_shared<proxy::TcpAcceptor>(io, is_v6 ? proxy::Tcp::v6() : proxy::Tcp::v4(), opened->descriptor);
    acceptors.push_back(acceptor);
    net::co_spawn(io, accept_all(state, acceptor, max_connections), [](const std::exception_ptr& thrown) {
      if (thrown) log(Level::error, "a listener of the key server ended by a fault");
    });
    // What it is, where port 0 was asked for.
    error_code ignored;
    const auto port = acceptor->local_endpoint(ignored).port();
    log(Level::info, "the key server listens on " + config::name_of({listener.host, port, {}, {}, {}}));
  }
  return std::nullopt;
}

std::optional<std::string> KeyServer::Impl::open_health() {
  if (!settings().health) return std::nullopt;
  HealthChecks checks;
  checks.is_live = [] { return true; };  // it answers on the loop that would stand still
  checks.unready = [this] { return state->is_draining ? "draining" : ""; };
  const config::ListenerSettings& address = settings().health->address;
  auto opened = HealthServer::open(io, address, std::move(checks));
  if (!opened) return "cannot listen on " + name_of(address) + ": " + opened.error().message();
  health = std::move(*opened);
  return std::nullopt;
}

void KeyServer::Impl::wait_for_signal() {
  signals.async_wait([this](error_code error, int number) {
    if (error) return;
    on_signal(number);
    wait_for_signal();
  });
}

void KeyServer::Impl::on_signal(int number) {
  if (number == SIGHUP) return reload();
  if (state->is_draining) {
    log(Level::warn, "told to stop again: ending at once");
    std::_Exit(EXIT_FAILURE);
  }
  drain();
}

// The catalogue, the key formats, limits and tokens, and what the sink needs; where it listens and what its store is
// stay as they are.
void KeyServer::Impl::reload() {
  if (!parts.reload || state->is_draining) return;
  const ReloadNotice notice;
  if (auto next = parts.reload()) {
    state->rules = std::move(next);
    files.watch(parts.files());
    log(Level::info, "reloaded");
  } else {
    files.watch_as_well(parts.files());
    log(Level::error, "reload refused: what was in force stays so");
  }
}

void KeyServer::Impl::drain() {
  log(Level::info, "draining");
  tell_service_manager("STOPPING=1");
  state->is_draining = true;
  files.stop();
  const config::LimitSettings& limits = settings().limits;
  give_up_at = std::chrono::steady_clock::now() + limits.drain_delay + limits.drain_timeout;
  timer.expires_after(limits.drain_delay);
  timer.async_wait([this](error_code error) {
    if (!error) close_listeners();
  });
}

void KeyServer::Impl::close_listeners() {
  for (const auto& acceptor : acceptors) close_now(*acceptor);
  look_again();
}

void KeyServer::Impl::look_again() {
  for (KeyConnection* const connection : state->connections) {
    if (connection->is_idle) connection->stream.close();
  }
  const bool is_late = std::chrono::steady_clock::now() >= give_up_at;
  if (is_late && !state->connections.empty()) {
    log(Level::warn, "drain_timeout has passed: " + std::to_string(state->connections.size()) + " connections are cut");
  }
  if (is_late || state->connections.empty()) return io.stop();
  timer.expires_after(look_interval);
  timer.async_wait([this](error_code error) {
    if (!error) look_again();
  });
}

// Whoever is still here is aborted, and their coroutines run to their ends, before anything they use goes away: the
// sink last, as somebody may wait for it. The system's name resolution cannot be interrupted, and the io_context would
// wait for it as long as it takes.
void KeyServer::Impl::end() {
  for (const auto& acceptor : acceptors) close_now(*acceptor);
  for (KeyConnection* const connection : state->connections) connection->stream.close();
  health.reset();
  files.stop();
  error_code ignored;
  signals.cancel(ignored);
  timer.cancel();
  state->store.reset();
  const auto limit = std::chrono::steady_clock::now() + last_wait;
  io.restart();
  while (!state->connections.empty() && io.run_one_until(limit) > 0) continue;
  state->sink.reset();
  io.restart();
  io.run_for(last_wait);
  if (io.stopped()) return;
  log(Level::warn, "a name look-up, most likely, is still under way: ending without it");
  std::_Exit(status);
}

KeyServer::KeyServer(Parts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}

KeyServer::~KeyServer() { impl_->end(); }

std::optional<std::string> KeyServer::start() {
  std::signal(SIGPIPE, SIG_IGN);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) impl_->signals.add(number);
  const Connections connections = fit_connections(impl_->settings(), 1);
  if (connections.fault) return connections.fault;
  if (auto fault = impl_->open_store()) return fault;
  if (auto fault = impl_->open_health()) return fault;
  return impl_->listen(std::max<std::size_t>(1, connections.most));
}

int KeyServer::run() {
  impl_->wait_for_signal();
  if (impl_->parts.reload) impl_->files.watch(impl_->parts.files());
  log(Level::info, "the key server is serving");
  tell_service_manager("READY=1");
  impl_->io.run();
  log(Level::info, "stopped");
  return impl_->status = EXIT_SUCCESS;
}

}  // namespace keygate::app
