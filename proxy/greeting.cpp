#include "proxy/greeting.hpp"

#include "proxy/certificate.hpp"
#include "proxy/client.hpp"
#include "proxy/door.hpp"
#include "proxy/proxy_protocol.hpp"
#include "telemetry/log.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <sys/socket.h>

namespace keygate::proxy {
namespace {

constexpr std::chrono::milliseconds header_limit{3'000};
constexpr std::chrono::milliseconds handshake_limit{5'000};

// Anybody who can reach a unix socket is let say so: its mode is what decides who that is.
bool may_speak_for_others(const Client& client, const Door& door) {
  const TrustedProxies& trusted = client.worker.current()->snapshot->trusted;
  return door.is_local || trusted.contains(client.peer);
}

void note(const Client& client, const std::string& what) {
  telemetry::log_seldom(telemetry::Level::warn, "greeting", "a connection from " + client.peer_text + ' ' + what);
}

// Not a byte more than the header is taken: what follows it may be TLS, and is not ours to look at. What has been seen
// is only taken once it is known to belong to the header.
class HeaderBytes {
 public:
  // What there is, with what has been taken; empty: the other end has closed.
  std::string_view look(int socket) {
    const ssize_t seen = ::recv(socket, room_.data() + taken_, room_.size() - taken_, MSG_PEEK | MSG_DONTWAIT);
    is_over_ = seen == 0 || (seen < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
    return {room_.data(), taken_ + (seen > 0 ? static_cast<std::size_t>(seen) : 0)};
  }
  bool is_over() const { return is_over_; }
  void take(int socket, std::size_t all) {
    const ssize_t size = ::recv(socket, room_.data() + taken_, all - taken_, MSG_DONTWAIT);
    taken_ += size > 0 ? static_cast<std::size_t>(size) : 0;
  }

 private:
  std::array<char, max_proxy_header> room_;
  std::size_t taken_ = 0;
  bool is_over_ = false;
};

Awaitable<ProxyHeader> read_header(Client& client) {
  HeaderBytes bytes;
  client.limit(header_limit);
  ProxyHeader header;
  while (true) {
    const auto [error] = co_await client.stream.wait_readable();
    if (error) {
      break;
    }
    const std::string_view seen = bytes.look(client.stream.native_handle());
    header = read_proxy_header(seen);
    if (bytes.is_over() || header.state == ProxyHeader::State::invalid) {
      break;
    }
    const bool is_complete = header.state == ProxyHeader::State::complete;
    bytes.take(client.stream.native_handle(), is_complete ? header.size : seen.size());
    if (is_complete) {
      break;
    }
  }
  client.unlimit();
  co_return header;
}

}  // namespace

Awaitable<bool> learn_peer(Client& client, const Door& door) {
  if (!door.reads_proxy_header) {
    co_return true;
  }
  if (!may_speak_for_others(client, door)) {
    note(client, "to a listener with proxy_protocol is closed: it is none of trusted_proxies");
    co_return false;
  }
  const ProxyHeader header = co_await read_header(client);
  if (header.state != ProxyHeader::State::complete) {
    note(client, "is closed: it did not begin with a PROXY header within 3 s");
    co_return false;
  }
  if (header.client != ProxyHeader::Client::sender) {
    client.set_peer(header.client == ProxyHeader::Client::known ? header.address : Address());
  }
  co_return true;
}

Awaitable<bool> shake_hands(Client& client, const Door& door) {
  if (!door.is_tls) {
    co_return true;
  }
  if (!door.tls) {
    co_return false;
  }
  client.limit(handshake_limit);
  const error_code error = co_await client.stream.accept_tls(door.tls->context());
  client.unlimit();
  if (error) {
    co_return false;
  }
  // A proxy's certificate says nothing of the clients that it asks for decisions about.
  client.subject = door.decides ? std::string() : peer_subject(client.stream.tls());
  co_return true;
}

}  // namespace keygate::proxy
