// What is spent of rate limits, as this process knows it: counted here while Redis cannot be asked, and told what Redis
// says while it can, so that a Redis that fails forgives nothing. One a process, shared by its workers; any thread.
#pragma once

#include "keys/limit_script.hpp"
#include "policy/rate_limit.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

namespace keygate::keys {

struct LimitVerdict {
  bool has_passed = false;
  policy::Standing standing;  // of the tightest
};
LimitVerdict verdict_of(std::span<const LimitUse> uses, const Counts& counts, bool has_passed, std::int64_t now);

class LimitTable {
 public:
  // By the counter's digest; a request holds the locks of its few counters for some hundred instructions.
  static constexpr std::size_t shards = 64;
  static constexpr std::size_t default_capacity = 131'072;

  // Counts kept at most. Beyond, what is over goes; then what is spent least, which forgives least.
  explicit LimitTable(std::size_t capacity = default_capacity);

  // Takes one from each count, or where one has no room, from none. `now`: unix microseconds.
  LimitVerdict spend(std::span<const LimitUse> uses, std::int64_t now);

  // What Redis says of them at `now`. Never less than is known here.
  void learn(std::span<const LimitUse> uses, const Counts& counts, std::int64_t now);

  std::size_t size() const;

  // Redis' clock showed `redis_now` at `at`: it is gone by from here on.
  void set_clock(std::int64_t redis_now, std::chrono::steady_clock::time_point at);
  // Redis' clock if it was ever heard, else nothing.
  std::optional<std::int64_t> clock(std::chrono::steady_clock::time_point at) const;

  // How many workers count here just now, instead of in Redis. The new number.
  int add_alone(int change) { return alone_.fetch_add(change, std::memory_order_relaxed) + change; }
  bool is_alone() const { return alone_.load(std::memory_order_relaxed) > 0; }

 private:
  struct Entry {
    policy::RateLimit limit;
    policy::Count count;
  };
  struct Shard {
    mutable std::mutex mutex;
    boost::unordered_flat_map<KeyDigest, Entry, DigestHash> entries;
  };
  class Locks;

  Shard& shard_of(const KeyDigest& counter) { return shards_[counter.bytes.back() % shards]; }
  void keep(const LimitUse& use, const policy::Count& count, std::int64_t now);
  void make_room(Shard& shard, std::int64_t now) const;

  const std::size_t shard_capacity_;
  std::array<Shard, shards> shards_;
  static constexpr std::int64_t never = INT64_MIN;
  std::atomic<std::int64_t> clock_offset_{never};  // of Redis' clock to the steady one, in microseconds
  std::atomic<int> alone_{0};
};

}  // namespace keygate::keys
