// May this request pass the rate limits that it counts against? Asks Redis, for all proxies together, and where there
// is none or it does not answer, this process alone (docs/rate-limits.md). One a worker, on its thread only.
#pragma once

#include "keys/asio.hpp"
#include "keys/limit_table.hpp"
#include "keys/redis_link.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace keygate::keys {

struct RateLimiterCounters {
  std::uint64_t in_redis = 0;    // requests that Redis has judged
  std::uint64_t in_process = 0;  // that were judged here
  std::uint64_t refused = 0;     // of both
};

class RateLimiter {
 public:
  struct Parts {
    LimitTable* table = nullptr;  // of the process
    RedisLink* link = nullptr;    // null: there is no Redis
    std::string name_space{};
  };

  // All of `parts`, and `io`, outlive this.
  RateLimiter(net::io_context& io, Parts parts);
  ~RateLimiter();
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  // Whether somebody else is to be asked, which takes a while: spend(). Else spend_here() will do.
  bool asks() const;

  // Takes one of each of `uses`, or of none. Waits for Redis as long as its `timeout` says, twice where it has lost its
  // scripts; never fails.
  Awaitable<LimitVerdict> spend(LimitUses uses);
  LimitVerdict spend_here(const LimitUses& uses);

  const RateLimiterCounters& counters() const { return counters_; }

 private:
  struct Asked;
  void turn(bool is_alone, std::string_view why);

  net::io_context& io_;
  const Parts parts_;
  RateLimiterCounters counters_;
  bool is_alone_ = false;
};

}  // namespace keygate::keys
