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
  std::uint64_t dropped = 0;   // too many waited
};

class RevocationPublisher {
 public:
  // Success: Redis has it. errc::timed_out: the bound has passed. errc::overloaded: so many wait already that it is
  // not tried, and an error in the log says so.
  using Done = std::function<void(Result<void>)>;
  static constexpr std::size_t max_pending = 10'000;   // of those that are not revocations
  static constexpr std::size_t max_revoked = 100'000;  // of all: a revocation is the last to be let go

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
