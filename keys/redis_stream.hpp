// A stream of bytes to Redis: TCP, a unix socket, or TLS over TCP. Used by redis_connection.
#pragma once

#include "config/resolution_settings.hpp"
#include "keys/asio.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace keygate::keys {

class ClientTls;

class RedisStream {
 public:
  RedisStream(net::io_context& io, config::RedisAddress address,
              std::shared_ptr<const ClientTls> tls);  // null: no TLS
  ~RedisStream();
  RedisStream(const RedisStream&) = delete;
  RedisStream& operator=(const RedisStream&) = delete;

  // Resolves the name, off this thread, connects, and with TLS verifies that the certificate stands for the name.
  // Sets no limit: close() ends it with operation_aborted, even while a name server does not answer.
  Awaitable<error_code> connect();

  // What has come, at least one byte.
  Awaitable<Result<std::size_t>> read_some(char* into, std::size_t size);

  // All of `bytes`, which live until `done`. One at a time.
  void write(const std::string& bytes, std::function<void(error_code)> done);

  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keygate::keys
