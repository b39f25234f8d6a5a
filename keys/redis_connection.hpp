// One connection to Redis, from its name to its end: connects, says who it is, chooses the database, and then carries
// commands and replies. It is never used again once something was wrong. Owned by redis_link and redis_subscription.
#pragma once

#include "config/resolution_settings.hpp"
#include "keys/asio.hpp"
#include "keys/redis_codec.hpp"
#include "keys/redis_stream.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace keygate::keys {

struct RedisLinkSettings {
  config::RedisSettings redis;
  std::string password;  // over one that stands in the URL
};

// A sentence on why TLS cannot be had as these settings ask for it (a CA file that cannot be read), or nothing: a proxy
// that starts or reloads with one would never reach its Redis (C-12).
std::string redis_tls_flaw(const config::RedisSettings& settings);

// Settings, ready to connect with: the CA file is read once, not at each connection.
struct RedisEndpoint {
  explicit RedisEndpoint(const RedisLinkSettings& settings);

  config::RedisAddress address;
  std::string username;
  std::string password;
  std::shared_ptr<const ClientTls> tls;
  std::string flaw;   // why there can be no connection
  std::string shown;  // for the log: "redis.internal:6379"

  // Whether a connection to `other` is one to this: the same server, user and password.
  bool is_same(const RedisEndpoint& other) const;
};

struct RedisEnd {
  enum class Cause : std::uint8_t {
    unreachable,  // no connection, or it broke
    timed_out,
    protocol,   // what came was no RESP, or nothing that was asked for
    not_ready,  // it is there, and says that it cannot answer yet
    denied,     // it refuses us: user, password, database; or TLS cannot be had
  };
  Cause cause = Cause::unreachable;
  std::string detail;
};

class RedisConnection : public std::enable_shared_from_this<RedisConnection> {
 public:
  // Called from the io_context, never from within open() or send(), and not after close().
  struct Events {
    std::function<void()> on_ready;               // once: it may be sent to
    std::function<void(RedisReply)> on_reply;     // in the order of the commands
    std::function<void(const RedisEnd&)> on_end;  // once, also instead of on_ready; it has closed itself
  };
  static constexpr std::chrono::milliseconds connect_limit{1'000};  // up to on_ready

  static std::shared_ptr<RedisConnection> open(net::io_context& io, std::shared_ptr<const RedisEndpoint> endpoint,
                                               Events events);
  RedisConnection(net::io_context& io, std::shared_ptr<const RedisEndpoint> endpoint, Events events);
  ~RedisConnection();

  // Goes out at once, or with all else that has come together while a write is under way.
  void send(std::string_view bytes);
  std::size_t unsent() const;  // bytes

  void close();

 private:
  struct Impl;
  static Awaitable<void> run(std::shared_ptr<RedisConnection> self);
  Awaitable<void> read_all();
  void limit_connecting();
  void greet();
  void take(RedisReply reply);
  void take_greeting(const RedisReply& reply);
  void flush();
  void end(RedisEnd::Cause cause, std::string detail);

  std::unique_ptr<Impl> impl_;
};

}  // namespace keygate::keys
