#include "proxy/listener.hpp"

#include "proxy/session.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstring>
#include <exception>
#include <netinet/in.h>
#include <optional>
#include <string_view>
#include <sys/socket.h>
#include <utility>

namespace keygate::proxy {
namespace {

constexpr std::chrono::milliseconds accept_backoff{50};

// The address of a peer by TCP; one that has left already has none.
std::optional<Address> address_of(StreamSocket& socket) {
  error_code error;
  const StreamEndpoint peer = socket.remote_endpoint(error);
  if (error || peer.size() > sizeof(sockaddr_storage)) {
    return std::nullopt;
  }
  Tcp::endpoint endpoint;
  if (peer.size() > endpoint.capacity()) {
    return std::nullopt;
  }
  std::memcpy(endpoint.data(), peer.data(), peer.size());
  endpoint.resize(peer.size());
  return endpoint.address();
}

void send_away_from_other_doors(Worker& worker) {
  for (auto it = worker.residents.begin(); it != worker.residents.end();) {
    (it++)->on_other_door();
  }
  worker.parking.on_other_door();
}

}  // namespace

std::shared_ptr<const Door> door_of(const Snapshot& snapshot, const config::ListenerSettings& settings) {
  if (!settings.tls && !settings.proxy_protocol && !settings.decides) {
    return nullptr;
  }
  auto door = std::make_shared<Door>();
  door->is_local = !settings.socket.empty();
  door->reads_proxy_header = settings.proxy_protocol;
  door->is_tls = settings.tls.has_value();
  door->decides = settings.decides;
  const auto& listeners = snapshot.settings->listeners;
  for (std::size_t i = 0; i < listeners.size() && i < snapshot.tls.listeners.size(); ++i) {
    if (name_of(listeners[i]) == name_of(settings)) {
      door->tls = snapshot.tls.listeners[i];
    }
  }
  return door;
}

bool is_alike(const Door* one, const Door* other) {
  static const Door plain;
  const Door& a = one != nullptr ? *one : plain;
  const Door& b = other != nullptr ? *other : plain;
  return a.reads_proxy_header == b.reads_proxy_header && a.is_tls == b.is_tls && a.decides == b.decides;
}

struct Listener::State {
  State(Worker& owner, StreamAcceptor opened, std::shared_ptr<SocketFile> name)
      : worker(owner), acceptor(std::move(opened)), file(std::move(name)), pause(owner.io) {}

  void admit(StreamSocket socket) {
    Visitor visitor(std::move(socket));
    visitor.is_local = file != nullptr;
    visitor.doorway = doorway;
    visitor.door = doorway->door;
    if (!visitor.is_local) {
      const std::optional<Address> address = address_of(visitor.socket);
      if (!address) {
        return;
      }
      visitor.address = *address;
    }
    if (worker.client_count >= worker.max_clients) {
      telemetry::log_seldom(telemetry::Level::warn, "connections",
                            "limits.connections reached: new connections get 503");
      start_refusal(worker, std::move(visitor));
      return;
    }
    start_session(worker, std::move(visitor));
  }

  Worker& worker;
  StreamAcceptor acceptor;
  std::shared_ptr<SocketFile> file;  // of a unix socket
  std::shared_ptr<Doorway> doorway = std::make_shared<Doorway>();
  SteadyTimer pause;
  bool is_stopped = false;
};

Listener::Listener(Worker& worker, const config::ListenerSettings& settings, ListeningSocket opened) {
  const bool is_v6 = settings.host.find(':') != std::string::npos;
  const auto door = door_of(*worker.current()->snapshot, settings);
  const int family = opened.file ? AF_UNIX : is_v6 ? AF_INET6 : AF_INET;
  StreamAcceptor acceptor(worker.io, StreamProtocol(family, opened.file ? 0 : IPPROTO_TCP), opened.descriptor);
  state_ = std::make_shared<State>(worker, std::move(acceptor), std::move(opened.file));
  state_->doorway->door = door;
  net::co_spawn(worker.io, accept_all(state_), [](const std::exception_ptr& thrown) {
    if (thrown) {
      telemetry::log(telemetry::Level::error, "a listener ended by a fault");
    }
  });
}

Listener::~Listener() { stop(); }

void Listener::meet_by(std::shared_ptr<const Door> door) {
  const bool is_other = !is_alike(state_->doorway->door.get(), door.get());
  state_->doorway->door = std::move(door);
  if (!is_other) {
    return;
  }
  send_away_from_other_doors(state_->worker);
}

// Who waits in the queue yet is answered once.
void Listener::leave() {
  state_->doorway->is_gone = true;
  send_away_from_other_doors(state_->worker);
  stop();
}

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
    if (error == net::error::connection_aborted) {
      continue;  // it has left while it waited in the queue
    }
    // Out of descriptors or memory. Accepting again at once would only spin: connections wait in the queue until
    // something is released, and are neither refused nor dropped.
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
    StreamSocket socket(state_->worker.io);
    state_->acceptor.accept(socket, error);
    if (!error) {
      state_->admit(std::move(socket));
    }
  }
  state_->acceptor.close(error);
  state_->file.reset();
  state_->pause.cancel();
}

}  // namespace keygate::proxy
