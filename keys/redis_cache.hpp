// What Redis knows of a key, for all proxies together: looked at between this worker's memory and the key source.
// Nothing here fails a request: an error, like a miss, means that the source is asked. One a worker and subject.
#pragma once

#include "keys/key_record.hpp"
#include "keys/redis_link.hpp"
#include "keys/source.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace keygate::keys {

struct Cached {
  enum class Kind : std::uint8_t {
    miss,
    record,
    revoked,  // refuse: a tombstone that is believed
    changed,  // ask the source, and do not fill
  };
  Kind kind = Kind::miss;
  Found found{};  // record only; its age is that of the moment before Redis was asked
};

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

class RedisCache {
 public:
  // Error: Redis could not say, see RedisLink; errc::invalid_answer where it made no sense.
  using Done = std::function<void(Result<Cached>)>;

  // `link` outlives this. What is asked when this goes is dropped.
  RedisCache(RedisLink& link, RecordCodec codec);
  ~RedisCache();
  RedisCache(const RedisCache&) = delete;
  RedisCache& operator=(const RedisCache&) = delete;

  // No record that is `bound` old or older. `done` is called once and not before this returns.
  void get(const KeyDigest& digest, std::chrono::milliseconds bound, Done done);

  // Tells the others what the source answered `age` ago. Only valid answers are kept, never over a tombstone or over a
  // newer record, and until they are `bound` old. Nobody hears of a failure.
  void fill(const KeyDigest& digest, const policy::KeyAnswer& answer, std::chrono::milliseconds age,
            std::chrono::milliseconds bound);

  const RedisCacheCounters& counters() const;

 private:
  struct State;
  RedisLink& link_;
  std::shared_ptr<State> state_;
};

}  // namespace keygate::keys
