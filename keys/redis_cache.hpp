// What Redis knows of a key, for all proxies together: looked at between this worker's memory and the key source.
// Nothing here fails a request: an error, like a miss, means that the source is asked. One a worker and subject.
#pragma once

#include "keys/key_record.hpp"
#include "keys/redis_link.hpp"
#include "keys/shared_cache.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace keygate::keys {

struct RedisCacheCounters {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;  // nothing there, too old, or flawed
  std::uint64_t revoked = 0;
  std::uint64_t changed = 0;
  std::uint64_t errors = 0;                              // could not be asked, or answered with an error
  std::array<std::uint64_t, record_flaw_count> flaws{};  // by RecordFlaw
  std::uint64_t unfit_ages = 0;                          // no TTL, one over the bound, issued ahead, or past the bound
  std::uint64_t fills = 0;                               // written
  std::uint64_t fills_refused = 0;                       // a tombstone or a newer record stood there
  std::uint64_t fill_errors = 0;                         // dropped, or not written
};

class RedisCache final : public SharedCache {
 public:
  // `link` outlives this. What is asked when this goes is dropped.
  RedisCache(RedisLink& link, RecordCodec codec);
  ~RedisCache() override;
  RedisCache(const RedisCache&) = delete;
  RedisCache& operator=(const RedisCache&) = delete;

  // Error: Redis could not say, see RedisLink; errc::invalid_answer where it made no sense.
  void get(const KeyDigest& digest, std::chrono::milliseconds bound, Done done) override;

  void tell_time(TimeDone done) override;

  // Tells the others what the source answered. Only valid answers are kept, never over a tombstone or over a newer
  // record, and until Redis' clock says that they are `life.bound` old. Nobody hears of a failure.
  void fill(const KeyDigest& digest, const policy::KeyAnswer& answer, const CopyLife& life) override;

  // Other signing keys, from now on. The name that it makes of a digest stays.
  void apply(RecordCodec codec);

  const RedisCacheCounters& counters() const;

 private:
  struct State;
  RedisLink& link_;
  std::shared_ptr<State> state_;
};

}  // namespace keygate::keys
