// Who tells all proxies that a key is not what they remember. Made by whoever has a way to reach them (Redis), given to
// the key server, which hands it every line of its store's change log.
#pragma once

#include "keys/digest.hpp"

#include <cstdint>
#include <functional>

namespace keygate::keys {

enum class KeyChange : std::uint8_t {
  changed,  // rotated, imported, or with another expiry: whoever remembers it asks again
  revoked,  // for good: whoever remembers it refuses it
};

class RevocationSink {
 public:
  // true: every proxy that listens has been told, and a tombstone keeps the others from believing what they may find.
  // false: not within the time that a caller can wait; it is tried again until the staleness bound has passed.
  using Done = std::function<void(bool is_pushed)>;

  virtual ~RevocationSink() = default;

  // On the sink's thread. `done` (perhaps empty) is called there once, never before this returns. The same change may
  // come twice.
  virtual void changed(const KeyDigest& digest, KeyChange change, Done done) = 0;
};

}  // namespace keygate::keys
