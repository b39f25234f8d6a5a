// One pipelined connection to Redis, kept up in the background: commands go out at once, replies are matched in order,
// and a connection that was late or made no sense is closed and never used again (C-04). While Redis cannot be asked, a
// command fails at once and waits for nothing. One a worker, on its thread only.
#pragma once

#include "keys/asio.hpp"
#include "keys/breaker.hpp"
#include "keys/redis_connection.hpp"
#include "keys/redis_health.hpp"
#include "keys/redis_reply.hpp"
#include "keys/redis_script.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace keygate::keys {

enum class RedisPurpose : std::uint8_t { read, write };

class RedisLink {
 public:
  static constexpr std::size_t max_commands = 1'024;  // sent and not answered, or waiting to be
  static constexpr std::size_t max_unsent_bytes = 1024 * 1024;

  // An error is errc::unavailable (no connection, or the breaker is open), errc::timed_out (not within
  // settings.redis.timeout) or errc::overloaded. An error that Redis itself answers is a reply.
  using Done = std::function<void(Result<RedisReply>)>;
  using AllDone = std::function<void(Result<std::vector<RedisReply>>)>;

  // Starts to connect. `done` of each command is called once, from `io`, unless the link goes first: what waits then is
  // dropped.
  RedisLink(net::io_context& io, const RedisLinkSettings& settings);
  ~RedisLink();
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;

  void send(const RedisWords& command, RedisPurpose purpose, Done done);
  // Commands that are encoded already, as many as `replies`: in one write; answered together, within one limit.
  void send_encoded(std::string commands, std::size_t replies, RedisPurpose purpose, AllDone done);
  // By its SHA-1, and with its text where Redis does not know it yet; as a write.
  void evaluate(const RedisScript& script, std::string_view key, const std::vector<std::string>& arguments, Done done);
  void evaluate(const RedisScript& script, const std::vector<std::string>& keys,
                const std::vector<std::string>& arguments, Done done);

  // Whether a write is worth sending: not while Redis has just said that it takes none.
  bool takes_writes() const;
  bool is_ready() const;  // connected, and the breaker lets commands through

  // New settings, a new password perhaps: what is under way is answered, then it connects anew.
  void apply(const RedisLinkSettings& settings);

  const RedisCounters& counters() const;
  RedisCondition condition() const;
  Breaker::State breaker() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace keygate::keys
