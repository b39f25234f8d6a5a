// What this worker still knows of keys: identities by digest, never decisions (C-01). Pure: `now` is passed in.
// One a worker, no locks. A record is dropped once it is `retention` old, counted from when the service was asked; the
// resolver judges what is younger (keys/freshness).
#pragma once

#include "config/settings.hpp"
#include "keys/digest.hpp"
#include "policy/principal.hpp"
#include "policy/scopes.hpp"

#include <boost/intrusive/list.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace keygate::keys {

using SteadyTime = std::chrono::steady_clock::time_point;

// One identity as it was found out, with what its grants come to under one catalogue. Immutable: an exchange that holds
// it is not disturbed by eviction, revocation or reload.
struct Record {
  policy::KeyAnswer answer;
  policy::Held held;             // empty unless valid
  std::uint64_t generation = 0;  // of the snapshot whose catalogue `held` was made with
  SteadyTime asked_at{};         // when who knows the key was asked, at the latest
  SteadyTime validated_at{};     // when somebody was last asked whether it still holds; never before asked_at
  std::string_view source;       // who answered: a Source's name(), static
  bool is_unconfirmed =
      false;              // found out soon after a change, and no tombstone could be looked for: push is not enough
  bool is_stale = false;  // past the bound, and served because nobody can be asked (stale_if_error)
};

class MemoryCache {
 public:
  MemoryCache(config::MemorySettings settings, std::chrono::milliseconds retention);
  ~MemoryCache();
  MemoryCache(const MemoryCache&) = delete;
  MemoryCache& operator=(const MemoryCache&) = delete;

  // The record of `digest` if there is one within the retention, else null. Also finds keys remembered as unknown.
  std::shared_ptr<const Record> find(const KeyDigest& digest, SteadyTime now);

  // Keeps `record`; evicts the one used longest ago of the same kind (known, unknown) where that is full.
  void put(const KeyDigest& digest, std::shared_ptr<const Record> record, SteadyTime now);

  void forget(const KeyDigest& digest);
  void clear();

  // New limits from a reload; a shorter retention counts for records already here.
  void apply(config::MemorySettings settings, std::chrono::milliseconds retention);

  std::size_t known_size() const;
  std::size_t unknown_size() const;

 private:
  struct Entry;
  struct Shelf;  // one LRU map: known keys and unknown keys have one each
  std::unique_ptr<Shelf> known_;
  std::unique_ptr<Shelf> unknown_;
  config::MemorySettings settings_;
  std::chrono::milliseconds retention_;
};

}  // namespace keygate::keys
