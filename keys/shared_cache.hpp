// What proxies know together: a cache between a worker's memory and who knows the keys. Redis is the one there is.
// Asked by the resolver.
#pragma once

#include "keys/source.hpp"

#include <chrono>
#include <functional>

namespace keygate::keys {

struct Cached {
  enum class Kind : std::uint8_t {
    miss,     // nothing that may be used
    record,   // `found`
    revoked,  // refuse: a tombstone
    changed,  // ask who knows, and do not write down what it says: another tombstone
  };
  Kind kind = Kind::miss;
  Found found{};  // of a record; its age is counted from before the cache was asked
};

// An answer as old as it is, and when it is not to be read any more: on the cache's own clock, so that a copy that gets
// there late, or from a machine whose clock is wrong, does not live longer.
struct CopyLife {
  std::chrono::milliseconds age{0};
  std::chrono::milliseconds bound{0};
  std::chrono::milliseconds ends_at{0};  // on the clock of tell_time
};

class SharedCache {
 public:
  // An error says that the cache could not answer; that is no miss to rely on, and never a denial.
  using Done = std::function<void(Result<Cached>)>;

  virtual ~SharedCache() = default;

  // `done` is called exactly once, on the worker's thread, never before this returns, within the cache's own deadline.
  // A record of `bound` or older is a miss.
  virtual void get(const KeyDigest& digest, std::chrono::milliseconds bound, Done done) = 0;

  // What the cache's own clock says, since its epoch; `done` as above.
  using TimeDone = std::function<void(Result<std::chrono::milliseconds>)>;
  virtual void tell_time(TimeDone done) = 0;

  // Writes down a valid answer until `life.ends_at`. Never over a tombstone or a newer record. Nobody waits for it.
  virtual void fill(const KeyDigest& digest, const policy::KeyAnswer& answer, const CopyLife& life) = 0;
};

}  // namespace keygate::keys
