// Tells every proxy that a key was revoked or has changed: a tombstone in place of its record, and a message. Tries
// until the staleness bound has passed, as after that nobody honours the old record anyway. Used by the key service.
#pragma once

#include "keys/key_record.hpp"
#include "keys/redis_link.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace keygate::keys {

enum class Tombstone : std::uint8_t { revoked, changed };

struct RevocationPublisherCounters {
  std::uint64_t published = 0;
  std::uint64_t retries = 0;
  std::uint64_t given_up = 0;  // the bound has passed
};

class RevocationPublisher {
 public:
  // Success: Redis has it. errc::timed_out: the bound has passed. errc::overloaded: max_pending wait already.
  using Done = std::function<void(Result<void>)>;
  static constexpr std::size_t max_pending = 10'000;

  // `link` outlives this; its io_context is `io`. What is still being tried when this goes is dropped.
  RevocationPublisher(net::io_context& io, RedisLink& link, RecordCodec codec);
  ~RevocationPublisher();
  RevocationPublisher(const RevocationPublisher&) = delete;
  RevocationPublisher& operator=(const RevocationPublisher&) = delete;

  // The tombstone lives for `bound`, counted from when Redis has it. `changed` does not take the place of `revoked`.
  void publish(const KeyDigest& digest, Tombstone kind, std::chrono::milliseconds bound, Done done);

  // What is signed and named from now on, of what is still being tried too.
  void apply(RecordCodec codec);

  std::size_t pending() const;
  const RevocationPublisherCounters& counters() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace keygate::keys
