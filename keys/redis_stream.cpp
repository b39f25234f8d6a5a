#include "keys/redis_stream.hpp"

#include "keys/client_tls.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace keygate::keys {

namespace {

using Tcp = net::ip::tcp;
using Generic = net::generic::stream_protocol;
using Socket = net::basic_stream_socket<Generic, Executor>;
using Tls = net::ssl::stream<Socket>;
using Clock = std::chrono::steady_clock;
using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;

constexpr std::size_t longest_socket_path = 107;

bool is_numeric(const std::string& host) {
  error_code error;
  net::ip::make_address(host, error);
  return !error;
}

// A question to the system's resolver. It cannot be called back: who no longer waits leaves it behind.
struct NameLookup {
  explicit NameLookup(net::io_context& io) : resolver(io), answered(io, Clock::time_point::max()) {}

  net::ip::basic_resolver<Tcp, Executor> resolver;
  Timer answered;  // cancelled when the answer is there
  error_code error = net::error::operation_aborted;
  std::vector<Generic::endpoint> found{};
};

}  // namespace

struct RedisStream::Impl {
  Impl(net::io_context& context, config::RedisAddress where, std::shared_ptr<const ClientTls> secured)
      : io(context), address(std::move(where)), client_tls(std::move(secured)) {
    if (client_tls) {
      tls.emplace(io, client_tls->context());
    } else {
      plain.emplace(io);
    }
  }

  Socket& socket() { return tls ? tls->next_layer() : *plain; }

  Awaitable<error_code> resolve();
  Awaitable<error_code> connect_to_one();
  Awaitable<error_code> secure();

  net::io_context& io;
  const config::RedisAddress address;
  const std::shared_ptr<const ClientTls> client_tls;
  std::optional<Socket> plain;  // or
  std::optional<Tls> tls;
  std::vector<Generic::endpoint> endpoints;
  std::weak_ptr<NameLookup> lookup;
  bool is_closed = false;
};

RedisStream::RedisStream(net::io_context& io, config::RedisAddress address, std::shared_ptr<const ClientTls> tls)
    : impl_(std::make_unique<Impl>(io, std::move(address), std::move(tls))) {}

RedisStream::~RedisStream() = default;

Awaitable<error_code> RedisStream::Impl::resolve() {
  if (address.host.empty()) {
    if (address.socket.size() > longest_socket_path) co_return net::error::name_too_long;
    endpoints = {net::local::stream_protocol::endpoint(address.socket)};
    co_return error_code{};
  }
  if (is_numeric(address.host)) {
    endpoints = {Tcp::endpoint(net::ip::make_address(address.host), address.port)};
    co_return error_code{};
  }
  const auto asked = std::make_shared<NameLookup>(io);
  lookup = asked;
  asked->resolver.async_resolve(address.host, std::to_string(address.port), [asked](error_code error, auto entries) {
    asked->error = error;
    for (const auto& entry : entries) asked->found.emplace_back(entry.endpoint());
    asked->answered.cancel();
  });
  co_await asked->answered.async_wait(use_tuple);
  endpoints = asked->found;
  co_return asked->error;
}

Awaitable<error_code> RedisStream::Impl::connect_to_one() {
  error_code error = net::error::host_not_found;
  error_code ignored;
  for (const Generic::endpoint& endpoint : endpoints) {
    socket().close(ignored);
    std::tie(error) = co_await socket().async_connect(endpoint, use_tuple);
    if (is_closed) co_return net::error::operation_aborted;
    if (!error) break;
  }
  if (!error) socket().set_option(Tcp::no_delay(true), ignored);  // a unix socket has no such thing
  co_return error;
}

Awaitable<error_code> RedisStream::Impl::secure() {
  if (!expect_host(tls->native_handle(), address.host)) co_return net::error::invalid_argument;
  error_code error;
  std::tie(error) = co_await tls->async_handshake(net::ssl::stream_base::client, use_tuple);
  co_return error;
}

Awaitable<error_code> RedisStream::connect() {
  error_code error = co_await impl_->resolve();
  if (impl_->is_closed) co_return net::error::operation_aborted;
  if (error) co_return error;
  error = co_await impl_->connect_to_one();
  if (error) co_return error;
  if (impl_->tls) error = co_await impl_->secure();
  co_return error;
}

Awaitable<Result<std::size_t>> RedisStream::read_some(char* into, std::size_t size) {
  const net::mutable_buffer buffer(into, size);
  error_code error;
  std::size_t read = 0;
  if (impl_->tls) {
    std::tie(error, read) = co_await impl_->tls->async_read_some(buffer, use_tuple);
  } else {
    std::tie(error, read) = co_await impl_->plain->async_read_some(buffer, use_tuple);
  }
  if (error) co_return error;
  co_return read;
}

void RedisStream::write(const std::string& bytes, std::function<void(error_code)> done) {
  auto hear = [done = std::move(done)](error_code error, std::size_t) { done(error); };
  if (impl_->tls) {
    net::async_write(*impl_->tls, net::buffer(bytes), std::move(hear));
  } else {
    net::async_write(*impl_->plain, net::buffer(bytes), std::move(hear));
  }
}

void RedisStream::close() {
  impl_->is_closed = true;
  if (const auto asked = impl_->lookup.lock()) {
    asked->resolver.cancel();  // one that has not begun yet never does
    asked->answered.cancel();
  }
  error_code ignored;
  impl_->socket().close(ignored);
}

}  // namespace keygate::keys
