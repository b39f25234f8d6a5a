#include "proxy/upstream.hpp"

#include "proxy/tls_error.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace keygate::proxy {
namespace {

constexpr std::chrono::seconds address_life{30};

void on_deadline(void* owner) {
  auto& connection = *static_cast<UpstreamConnection*>(owner);
  connection.has_timed_out = true;
  connection.stream.cancel();
}

}  // namespace

std::string authority_of(const config::EndpointSettings& endpoint) {
  if (!endpoint.socket.empty()) {
    return "localhost";
  }
  const bool is_v6 = endpoint.host.find(':') != std::string::npos;
  const std::string host = is_v6 ? "[" + endpoint.host + "]" : endpoint.host;
  return endpoint.port == (endpoint.is_tls ? 443 : 80) ? host : host + ":" + std::to_string(endpoint.port);
}

UpstreamConnection::UpstreamConnection(net::io_context& io)
    : stream(io), deadline(this, on_deadline), send_deadline(stream, has_timed_out), idle(this, [](void* self) {
        auto& connection = *static_cast<UpstreamConnection*>(self);
        connection.owner->drop_idle(connection);
      }) {}

void UpstreamConnection::limit_send(Worker& worker, std::chrono::milliseconds after) {
  send_deadline.arm(worker, after);
}

void UpstreamConnection::abort() {
  stream.cancel();
  stream.close();
}

Upstream::Upstream(net::io_context& io, DeadlineWheel& deadlines, config::UpstreamSettings settings,
                   std::shared_ptr<const UpstreamTls> tls)
    : io_(io), deadlines_(deadlines), settings_(std::move(settings)), tls_(std::move(tls)) {
  if (tls_) {
    session_ = std::make_shared<TlsSession>();
  }
  const config::EndpointSettings& endpoint = settings_.endpoints.front();
  authority_ = authority_of(endpoint);
  if (!endpoint.socket.empty()) {
    addresses_ = {net::local::stream_protocol::endpoint(endpoint.socket)};
    is_numeric_ = true;
    return;
  }
  error_code error;
  const auto address = net::ip::make_address(endpoint.host, error);
  is_numeric_ = !error;
  if (is_numeric_) {
    addresses_ = {Tcp::endpoint(address, endpoint.port)};
  }
}

bool Upstream::serves(const config::UpstreamSettings& wanted, const UpstreamTls* tls) const {
  const config::EndpointSettings& mine = settings_.endpoints.front();
  const config::EndpointSettings& other = wanted.endpoints.front();
  const bool is_same_tls = tls == nullptr || !tls_ ? tls == tls_.get() : tls_->is_same(*tls);
  return settings_.name == wanted.name && mine.host == other.host && mine.port == other.port &&
         mine.socket == other.socket && mine.is_tls == other.is_tls && is_same_tls &&
         settings_.connect_timeout == wanted.connect_timeout &&
         settings_.response_header_timeout == wanted.response_header_timeout &&
         settings_.idle_timeout == wanted.idle_timeout && settings_.retry_attempts == wanted.retry_attempts &&
         settings_.preserve_host == wanted.preserve_host;
}

std::unique_ptr<UpstreamConnection> Upstream::take_idle() {
  if (idle_.empty()) {
    return nullptr;
  }
  auto connection = std::move(idle_.back());
  idle_.pop_back();
  connection->idle.disarm();
  connection->is_reused = true;
  return connection;
}

void Upstream::drop_idle(UpstreamConnection& connection) {
  std::erase_if(idle_, [&](const auto& candidate) { return candidate.get() == &connection; });
}

void Upstream::give_back(std::unique_ptr<UpstreamConnection> connection) {
  connection->deadline.disarm();
  connection->send_deadline.disarm();
  if (idle_.size() >= max_idle || ++connection->served >= max_served ||
      (connection->served % 128 == 0 && SteadyClock::now() - connection->opened_at > max_age)) {
    return;
  }
  connection->owner = this;
  deadlines_.arm(connection->idle, settings_.idle_timeout);
  idle_.push_back(std::move(connection));
}

void Upstream::close_idle() { idle_.clear(); }

// Asks the system in the background. It may take its time: nobody waits longer than connect_timeout, and who has
// addresses not at all.
Awaitable<void> Upstream::resolve(std::shared_ptr<Upstream> self) {
  net::ip::basic_resolver<Tcp, Executor> resolver(self->io_);
  const config::EndpointSettings& endpoint = self->settings_.endpoints.front();
  const auto [error, found] = co_await resolver.async_resolve(endpoint.host, std::to_string(endpoint.port), use_tuple);
  self->is_resolving_ = false;
  self->resolve_error_ = error;
  if (!error) {
    self->addresses_.clear();
    for (const auto& entry : found) {
      self->addresses_.push_back(entry.endpoint());
    }
  }
  for (const auto& waiting : std::exchange(self->waiting_for_addresses_, {})) {
    waiting->cancel();
  }
}

void Upstream::refresh_addresses() {
  const auto now = SteadyClock::now();
  const bool is_fresh = !addresses_.empty() && now - resolved_at_ < address_life;
  if (is_numeric_ || is_resolving_ || is_fresh) {
    return;
  }
  is_resolving_ = true;
  resolved_at_ = now;  // also should it fail: the last good addresses serve until the next try
  net::co_spawn(io_, resolve(shared_from_this()), [](const std::exception_ptr&) {});
}

Awaitable<error_code> Upstream::wait_for_addresses() {
  refresh_addresses();
  if (!addresses_.empty()) {
    co_return error_code{};
  }
  auto timer = std::make_shared<SteadyTimer>(io_, settings_.connect_timeout);
  waiting_for_addresses_.push_back(timer);
  co_await timer->async_wait(use_tuple);
  if (!addresses_.empty()) {
    co_return error_code{};
  }
  co_return resolve_error_ ? resolve_error_ : error_code(net::error::host_not_found_try_again);
}

Awaitable<error_code> Upstream::connect(UpstreamConnection& connection) {
  const auto self = shared_from_this();
  error_code error = co_await wait_for_addresses();
  if (error) {
    co_return error;
  }
  const std::vector<StreamEndpoint> candidates = addresses_;
  for (std::size_t tries = 0; tries < candidates.size(); ++tries) {
    const StreamEndpoint& address = candidates[next_address_++ % candidates.size()];
    connection.has_timed_out = false;
    deadlines_.arm(connection.deadline, settings_.connect_timeout);
    error = co_await connect_to(connection, address);
    connection.deadline.disarm();
    if (!error) {
      connection.opened_at = SteadyClock::now();
      co_return error_code{};
    }
    if (error == net::error::operation_aborted && !connection.has_timed_out) {
      co_return error;  // the client has left
    }
    if (connection.has_timed_out) {
      error = net::error::timed_out;
    }
  }
  co_return error;
}

// Never without TLS where it was asked for.
Awaitable<error_code> Upstream::connect_to(UpstreamConnection& connection, StreamEndpoint address) {
  error_code error = co_await connection.stream.connect(address);
  if (error) {
    co_return error;
  }
  const config::EndpointSettings& endpoint = settings_.endpoints.front();
  if (!endpoint.is_tls) {
    co_return error_code{};
  }
  connection.session = session_;
  TlsHandle prepared = tls_ ? tls_->prepare(endpoint.host, *connection.session) : nullptr;
  if (!prepared) {
    co_return TlsError::protocol;
  }
  error = co_await connection.stream.start_tls(std::move(prepared));
  co_return error;
}

}  // namespace keygate::proxy
