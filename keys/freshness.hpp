// May a record in memory still be used, must it be looked at again first, or is it too old? Pure. The staleness bound,
// and what a proxy owes while revocations may not reach it (docs/revocation.md). Used by the resolver.
#pragma once

#include "keys/memory_cache.hpp"

#include <chrono>
#include <optional>

namespace keygate::keys {

enum class Freshness : std::uint8_t {
  fresh,
  due,       // serves, and is looked up anew meanwhile
  doubtful,  // to be looked up anew before it is used; where that fails, it serves up to the bound
  stale,     // at or past the bound: only stale_if_error may still use it
};

// Whether revocations are pushed to this worker, and since when without a gap.
class Lease {
 public:
  // Until then nothing is pushed and nothing is expected: the bound alone counts.
  void expect_push() { is_expected_ = true; }
  void up(SteadyTime now) { since_ = now; }
  void down() { since_.reset(); }

  bool is_up() const { return since_.has_value(); }
  // Whether a change since `validated_at` would have been heard of.
  bool covers(SteadyTime validated_at) const { return !is_expected_ || (since_ && validated_at >= *since_); }

 private:
  bool is_expected_ = false;
  std::optional<SteadyTime> since_;
};

// How old a record may be without push before it is looked at again.
inline constexpr std::chrono::seconds unpushed_age{5};

// The tenth of the bound in which records are renewed, each at its own moment: keys that were asked for together do not
// come due together (C-09).
std::chrono::milliseconds renewal_age(const KeyDigest& digest, std::chrono::milliseconds bound);

Freshness freshness_of(const Record& record, const KeyDigest& digest, const Lease& lease,
                       std::chrono::milliseconds bound, SteadyTime now);

}  // namespace keygate::keys
