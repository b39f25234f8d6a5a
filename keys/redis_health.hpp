// What state is Redis in, as the operator should hear of it: one line when it becomes worse, one when it is well again,
// and numbers. Used by redis_link and redis_subscription.
#pragma once

#include "keys/redis_reply.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace keygate::keys {

enum class RedisCondition : std::uint8_t {
  well,
  down,        // no connection, or no answer in time
  not_ready,   // loading, busy, failing over, too many clients
  read_only,   // a replica: what it knows is used, nothing is written
  denied,      // user, password, permissions or certificate: the operator has to do something
  redirected,  // a cluster, which is not supported
};
std::string_view to_string(RedisCondition condition);

struct RedisCounters {
  std::uint64_t commands = 0;         // sent
  std::uint64_t timeouts = 0;         // of commands
  std::uint64_t unavailable = 0;      // commands refused at once, as there was no connection or the breaker was open
  std::uint64_t overloaded = 0;       // commands refused at once, as too many were waiting
  std::uint64_t connections = 0;      // made
  std::uint64_t disconnections = 0;   // that were not wanted, and connects that failed
  std::uint64_t protocol_errors = 0;  // replies that were none
  std::array<std::uint64_t, redis_fault_count> faults{};  // error replies, by RedisFault
};

class RedisHealth {
 public:
  // `shown`: which Redis, in the log.
  explicit RedisHealth(std::string shown) : shown_(std::move(shown)) {}

  RedisCondition condition() const { return condition_; }
  void turn(RedisCondition condition, std::string_view detail = {});

 private:
  std::string shown_;
  RedisCondition condition_ = RedisCondition::well;
};

}  // namespace keygate::keys
