#include "proxy/upstream.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
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

UpstreamConnection::UpstreamConnection(net::io_context& io)
    : socket(io), deadline(this, on_deadline), idle(this, [](void* self) {
        auto& connection = *static_cast<UpstreamConnection*>(self);
        connection.owner->drop_idle(connection);
      }) {}

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
  authority_ = is_numeric_ && address.is_v6() ? "[" + endpoint.host + "]" : endpoint.host;
  if (endpoint.port != 80) {
    authority_ += ":" + std::to_string(endpoint.port);
  }
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
  if (idle_.size() >= max_idle || ++connection->served >= max_served ||
      (connection->served % 128 == 0 && SteadyClock::now() - connection->opened_at > max_age)) {
    return;
  }
  connection->owner = this;
  deadlines_.arm(connection->idle, settings_.idle_timeout);
  idle_.push_back(std::move(connection));
}

void Upstream::close_idle() { idle_.clear(); }

Awaitable<Result<std::vector<Tcp::endpoint>>> Upstream::addresses() {
  const auto now = SteadyClock::now();
  if (is_numeric_ || (!addresses_.empty() && now - resolved_at_ < address_life)) {
    co_return addresses_;
  }
  net::ip::basic_resolver<Tcp, Executor> resolver(io_);
  const config::EndpointSettings& endpoint = settings_.endpoints.front();
  const auto [error, found] = co_await resolver.async_resolve(endpoint.host, std::to_string(endpoint.port), use_tuple);
  if (error && addresses_.empty()) {
    co_return error;
  }
  if (!error) {
    addresses_.clear();
    for (const auto& entry : found) {
      addresses_.push_back(entry.endpoint());
    }
  }
  resolved_at_ = now;  // also after a failure: the last good addresses serve until the next try
  co_return addresses_;
}

Awaitable<Result<std::unique_ptr<UpstreamConnection>>> Upstream::connect() {
  const auto self = shared_from_this();
  const Result<std::vector<Tcp::endpoint>> candidates = co_await addresses();
  if (!candidates) {
    co_return candidates.error();
  }
  error_code error = net::error::host_not_found;
  for (std::size_t tries = 0; tries < candidates->size(); ++tries) {
    const Tcp::endpoint& endpoint = (*candidates)[next_address_++ % candidates->size()];
    auto connection = std::make_unique<UpstreamConnection>(io_);
    deadlines_.arm(connection->deadline, settings_.connect_timeout);
    std::tie(error) = co_await connection->socket.async_connect(endpoint, use_tuple);
    connection->deadline.disarm();
    if (!error) {
      connection->socket.set_option(Tcp::no_delay(true), error);
      connection->opened_at = SteadyClock::now();
      co_return connection;
    }
    if (connection->has_timed_out) {
      error = net::error::timed_out;
    }
  }
  co_return error;
}

}  // namespace keygate::proxy
