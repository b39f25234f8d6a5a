#include "keys/redis_connection.hpp"

#include "keys/client_tls.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>

#include <array>
#include <chrono>
#include <exception>
#include <tuple>
#include <utility>
#include <variant>

namespace keygate::keys {

namespace {

using Clock = std::chrono::steady_clock;
using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;
using Cause = RedisEnd::Cause;

Cause cause_of_refusal(std::string_view error) {
  return fault_of(error) == RedisFault::not_ready ? Cause::not_ready : Cause::denied;
}

}  // namespace

std::string redis_tls_flaw(const config::RedisSettings& settings) {
  if (!settings.address.is_tls) return {};
  const auto tls = ClientTls::load(settings.ca_file);
  const auto* fault = std::get_if<config::Fault>(&tls);
  return fault == nullptr ? std::string() : fault->message;
}

RedisEndpoint::RedisEndpoint(const RedisLinkSettings& settings)
    : address(settings.redis.address),
      username(settings.redis.username.empty() ? address.username : settings.redis.username),
      password(settings.password.empty() ? address.password : settings.password),
      shown(address.host.empty() ? address.socket : address.host + ":" + std::to_string(address.port)) {
  if (!address.is_tls) return;
  auto loaded = ClientTls::load(settings.redis.ca_file);
  if (const auto* fault = std::get_if<config::Fault>(&loaded)) {
    flaw = fault->message;
  } else {
    tls = std::get<std::shared_ptr<const ClientTls>>(std::move(loaded));
  }
}

bool RedisEndpoint::is_same(const RedisEndpoint& other) const {
  const auto place = [](const RedisEndpoint& of) {
    return std::tie(of.address.host, of.address.port, of.address.socket, of.address.is_tls, of.address.database);
  };
  return place(*this) == place(other) && username == other.username && password == other.password && flaw == other.flaw;
}

struct RedisConnection::Impl {
  Impl(net::io_context& context, std::shared_ptr<const RedisEndpoint> where, Events told)
      : io(context),
        endpoint(std::move(where)),
        events(std::move(told)),
        stream(context, endpoint->address, endpoint->tls),
        timer(context) {}

  net::io_context& io;
  const std::shared_ptr<const RedisEndpoint> endpoint;
  const Events events;
  RedisStream stream;
  Timer timer;  // of connecting
  RedisReader reader;
  std::array<char, 16 * 1024> arrived{};
  std::string outbox;   // waits for the write under way
  std::string writing;  // is being written
  bool is_writing = false;
  bool is_closed = false;
  unsigned greetings = 0;  // replies still due before it is ready
};

RedisConnection::RedisConnection(net::io_context& io, std::shared_ptr<const RedisEndpoint> endpoint, Events events)
    : impl_(std::make_unique<Impl>(io, std::move(endpoint), std::move(events))) {}

RedisConnection::~RedisConnection() = default;

std::shared_ptr<RedisConnection> RedisConnection::open(net::io_context& io,
                                                       std::shared_ptr<const RedisEndpoint> endpoint, Events events) {
  auto connection = std::make_shared<RedisConnection>(io, std::move(endpoint), std::move(events));
  connection->limit_connecting();
  net::co_spawn(io, run(connection), [connection](const std::exception_ptr& thrown) {
    if (thrown) connection->end(Cause::unreachable, "an exception");
  });
  return connection;
}

void RedisConnection::limit_connecting() {
  impl_->timer.expires_after(connect_limit);
  impl_->timer.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (self && !cancelled) self->end(Cause::timed_out, "no connection within a second");
  });
}

Awaitable<void> RedisConnection::run(std::shared_ptr<RedisConnection> self) {
  Impl& impl = *self->impl_;
  if (!impl.endpoint->flaw.empty()) {
    self->end(Cause::denied, impl.endpoint->flaw);
    co_return;
  }
  const error_code error = co_await impl.stream.connect();
  if (impl.is_closed) co_return;
  if (error) {
    self->end(Cause::unreachable, error.message());
    co_return;
  }
  self->greet();
  co_await self->read_all();
}

Awaitable<void> RedisConnection::read_all() {
  while (!impl_->is_closed) {
    const Result<std::size_t> size = co_await impl_->stream.read_some(impl_->arrived.data(), impl_->arrived.size());
    if (impl_->is_closed) co_return;
    if (size.has_error()) {
      end(Cause::unreachable, size.error() == net::error::eof ? "it closed the connection" : size.error().message());
      co_return;
    }
    if (const auto flaw = impl_->reader.feed({impl_->arrived.data(), *size}); !flaw.empty()) {
      end(Cause::protocol, std::string(flaw));
      co_return;
    }
    for (auto reply = impl_->reader.next(); reply && !impl_->is_closed; reply = impl_->reader.next()) {
      take(std::move(*reply));
    }
  }
}

// The PING at the end finds out whether the user may speak at all, and whether Redis is still loading its data.
void RedisConnection::greet() {
  const RedisEndpoint& endpoint = *impl_->endpoint;
  std::string bytes;
  if (!endpoint.username.empty() || !endpoint.password.empty()) {
    RedisWords words{"AUTH"};
    if (!endpoint.username.empty()) words.emplace_back(endpoint.username);
    words.emplace_back(endpoint.password);
    bytes += encode_command(words);
    ++impl_->greetings;
  }
  if (endpoint.address.database != 0) {
    const std::string number = std::to_string(endpoint.address.database);
    bytes += encode_command({"SELECT", number});
    ++impl_->greetings;
  }
  bytes += encode_command({"PING"});
  ++impl_->greetings;
  send(bytes);
}

void RedisConnection::take(RedisReply reply) {
  if (impl_->greetings > 0) {
    take_greeting(reply);
  } else {
    impl_->events.on_reply(std::move(reply));
  }
}

void RedisConnection::take_greeting(const RedisReply& reply) {
  if (reply.is_error()) return end(cause_of_refusal(reply.text), "it says " + reply.text);
  if (reply.type != RedisReply::Type::status) return end(Cause::protocol, "its greeting is none");
  if (--impl_->greetings > 0) return;
  impl_->timer.cancel();
  impl_->events.on_ready();
}

void RedisConnection::send(std::string_view bytes) {
  impl_->outbox += bytes;
  flush();
}

std::size_t RedisConnection::unsent() const { return impl_->outbox.size() + impl_->writing.size(); }

void RedisConnection::flush() {
  if (impl_->is_writing || impl_->is_closed || impl_->outbox.empty()) return;
  impl_->writing.swap(impl_->outbox);
  impl_->is_writing = true;
  impl_->stream.write(impl_->writing, [self = shared_from_this()](error_code error) {
    // A Redis that turns a connection away says why before it closes: reading will find that, and then the end.
    if (error) return;
    self->impl_->is_writing = false;
    self->impl_->writing.clear();
    self->flush();
  });
}

void RedisConnection::close() {
  impl_->is_closed = true;
  impl_->timer.cancel();
  impl_->stream.close();
}

void RedisConnection::end(Cause cause, std::string detail) {
  if (impl_->is_closed) return;
  close();
  impl_->events.on_end({cause, std::move(detail)});
}

}  // namespace keygate::keys
