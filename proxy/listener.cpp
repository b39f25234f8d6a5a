#include "proxy/listener.hpp"

#include "proxy/session.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <exception>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace keygate::proxy {
namespace {

constexpr int backlog = 4096;  // the kernel caps it at net.core.somaxconn
constexpr std::chrono::milliseconds accept_backoff{50};

error_code last_error() { return {errno, boost::system::system_category()}; }

Result<int> open_socket(const config::ListenerSettings& settings, int sharing_option) {
  error_code error;
  const auto address = net::ip::make_address(settings.host, error);
  if (error) {
    return error;
  }
  const Tcp::endpoint endpoint(address, settings.port);
  const int descriptor = ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) {
    return last_error();
  }
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (sharing_option != 0) {
    ::setsockopt(descriptor, SOL_SOCKET, sharing_option, &on, sizeof on);
  }
  if (::bind(descriptor, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
      ::listen(descriptor, backlog) != 0) {
    error = last_error();
    ::close(descriptor);
    return error;
  }
  return descriptor;
}

}  // namespace

error_code probe_address(const config::ListenerSettings& settings) {
  const Result<int> probe = open_socket(settings, 0);
  if (!probe) {
    return probe.error();
  }
  ::close(*probe);
  return {};
}

Result<int> open_listener(const config::ListenerSettings& settings) { return open_socket(settings, SO_REUSEPORT); }

struct Listener::State {
  State(Worker& owner, TcpAcceptor opened) : worker(owner), acceptor(std::move(opened)), pause(owner.io) {}

  void admit(TcpSocket socket) {
    error_code error;
    const Tcp::endpoint peer = socket.remote_endpoint(error);
    if (error) {
      return;
    }
    if (worker.client_count >= worker.max_clients) {
      telemetry::log_seldom(telemetry::Level::warn, "connections",
                            "limits.connections reached: new connections get 503");
      start_refusal(worker, std::move(socket), peer);
      return;
    }
    start_session(worker, std::move(socket), peer);
  }

  Worker& worker;
  TcpAcceptor acceptor;
  SteadyTimer pause;
  bool is_stopped = false;
};

Listener::Listener(Worker& worker, const config::ListenerSettings& settings, int descriptor) {
  const bool is_v6 = settings.host.find(':') != std::string::npos;
  TcpAcceptor acceptor(worker.io, is_v6 ? Tcp::v6() : Tcp::v4(), descriptor);
  state_ = std::make_shared<State>(worker, std::move(acceptor));
  net::co_spawn(worker.io, accept_all(state_), [](const std::exception_ptr& thrown) {
    if (thrown) {
      telemetry::log(telemetry::Level::error, "a listener ended by a fault");
    }
  });
}

Listener::~Listener() { stop(); }

Awaitable<void> Listener::accept_all(std::shared_ptr<State> state) {
  while (!state->is_stopped) {
    auto [error, socket] = co_await state->acceptor.async_accept(use_tuple);
    if (!error) {
      state->admit(std::move(socket));
      continue;
    }
    if (state->is_stopped) {
      co_return;
    }
    // Accepting again at once would only spin: the connection waits in the queue until something is released.
    telemetry::log_seldom(telemetry::Level::error, "accept", "cannot accept: " + error.message());
    state->pause.expires_after(accept_backoff);
    co_await state->pause.async_wait(use_tuple);
  }
}

void Listener::stop() {
  if (state_->is_stopped) {
    return;
  }
  state_->is_stopped = true;
  error_code error;
  state_->acceptor.non_blocking(true, error);
  while (!error) {
    TcpSocket socket(state_->worker.io);
    state_->acceptor.accept(socket, error);
    if (!error) {
      state_->admit(std::move(socket));
    }
  }
  state_->acceptor.close(error);
  state_->pause.cancel();
}

}  // namespace keygate::proxy
