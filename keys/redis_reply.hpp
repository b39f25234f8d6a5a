// What Redis answered, as a value, and what an error of its means for the connection. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::keys {

struct RedisReply {
  enum class Type : std::uint8_t { nil, integer, status, string, array, error };
  Type type = Type::nil;
  std::int64_t integer = 0;
  std::string text{};  // status, string, error
  std::vector<RedisReply> elements{};

  bool is_error() const { return type == Type::error; }
  bool is_error(std::string_view code) const;  // its first word
};

// Errors by what is to be done about them.
enum class RedisFault : std::uint8_t {
  not_ready,   // LOADING, BUSY, MASTERDOWN, CLUSTERDOWN, TRYAGAIN, too many clients: later
  read_only,   // READONLY: connected to a replica, most likely since a failover
  denied,      // NOAUTH, WRONGPASS, NOPERM: the operator has to do something
  refused,     // OOM, MISCONF, WRONGTYPE: this command only
  redirected,  // MOVED, ASK: a cluster, which is not supported
  other,       // any other
};
inline constexpr std::size_t redis_fault_count = 6;

RedisFault fault_of(std::string_view error);
std::string_view to_string(RedisFault fault);  // a metric label: "not_ready", …

}  // namespace keygate::keys
