// Which keys have changed lately, as this worker was told: what is older than a change must not come back after it.
// Pure: `now` is passed in. Used by the resolver.
#pragma once

#include "keys/digest.hpp"
#include "keys/memory_cache.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <deque>
#include <utility>

namespace keygate::keys {

class PushedChanges {
 public:
  static constexpr std::size_t max_kept = 100'000;

  // `digest` changed at `now`. Changes of before `oldest` are forgotten: nothing of before them is served any more.
  void note(const KeyDigest& digest, SteadyTime now, SteadyTime oldest);

  // Whether `digest` changed at `since` or later; any digest may have, where more changes came than are kept.
  bool has_changed_since(const KeyDigest& digest, SteadyTime since, SteadyTime oldest) const;

 private:
  void drop_first();

  boost::unordered_flat_map<KeyDigest, SteadyTime, DigestHash> at_;
  std::deque<std::pair<SteadyTime, KeyDigest>> in_order_;
  SteadyTime forgotten_until_{};  // of changes up to then nothing is known
};

}  // namespace keygate::keys
