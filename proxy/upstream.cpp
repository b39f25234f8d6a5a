#include "proxy/upstream.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <exception>
#include <sys/socket.h>
#include <utility>

namespace keygate::proxy {
namespace {

constexpr std::chrono::seconds address_life{30};

void on_deadline(void* owner) {
  auto& connection = *static_cast<UpstreamConnection*>(owner);
  connection.has_timed_out = true;
  error_code ignored;
  connection.socket.cancel(ignored);
}

}  // namespace

std::string authority_of(const config::EndpointSettings& endpoint) {
  const bool is_v6 = endpoint.host.find(':') != std::string::npos;
  const std::string host = is_v6 ? "[" + endpoint.host + "]" : endpoint.host;
  return endpoint.port == 80 ? host : host + ":" + std::to_string(endpoint.port);
}

UpstreamConnection::UpstreamConnection(net::io_context& io)
    : socket(io), deadline(this, on_deadline), send_deadline(socket, has_timed_out), idle(this, [](void* self) {
        auto& connection = *static_cast<UpstreamConnection*>(self);
        connection.owner->drop_idle(connection);
      }) {}

void UpstreamConnection::limit_send(Worker& worker, std::chrono::milliseconds after) {
  send_deadline.arm(worker, after);
}

void UpstreamConnection::abort() {
  error_code ignored;
  socket.cancel(ignored);
  socket.close(ignored);
}

bool UpstreamConnection::is_stale() {
  char byte = 0;
  return ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
         (errno != EAGAIN && errno != EWOULDBLOCK);
}

Upstream::Upstream(net::io_context& io, DeadlineWheel& deadlines, config::UpstreamSettings settings)
    : io_(io), deadlines_(deadlines), settings_(std::move(settings)) {
  const config::EndpointSettings& endpoint = settings_.endpoints.front();
  error_code error;
  const auto address = net::ip::make_address(endpoint.host, error);
  is_numeric_ = !error;
  if (is_numeric_) {
    addresses_ = {Tcp::endpoint(address, endpoint.port)};
  }
  authority_ = authority_of(endpoint);
}

bool Upstream::serves(const config::UpstreamSettings& wanted) const {
  const config::EndpointSettings& mine = settings_.endpoints.front();
  const config::EndpointSettings& other = wanted.endpoints.front();
  return settings_.name == wanted.name && mine.host == other.host && mine.port == other.port &&
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
  const std::vector<Tcp::endpoint> candidates = addresses_;
  for (std::size_t tries = 0; tries < candidates.size(); ++tries) {
    const Tcp::endpoint& endpoint = candidates[next_address_++ % candidates.size()];
    error_code ignored;
    connection.socket.close(ignored);
    connection.has_timed_out = false;
    deadlines_.arm(connection.deadline, settings_.connect_timeout);
    std::tie(error) = co_await connection.socket.async_connect(endpoint, use_tuple);
    connection.deadline.disarm();
    if (!error) {
      connection.socket.set_option(Tcp::no_delay(true), ignored);
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

}  // namespace keygate::proxy
