// Which keys were granted something since the last tick, and for which scopes? One a worker; handed to who keeps the
// keys once a tick, off the request path.
#pragma once

#include "keys/dependencies.hpp"
#include "keys/digest.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace keygate::proxy {

class KeyUses {
 public:
  // `scopes` (of the route) were required; the text is told from others by its place. True: it is a new entry.
  bool note(const keys::KeyDigest& digest, std::int64_t unix_seconds, const std::string& scopes) {
    const auto [use, is_new] = uses_.try_emplace(UseOf{digest, &scopes});
    use->second.at = unix_seconds;
    if (is_new) {
      use->second.scopes = scopes;
    }
    return is_new;
  }

  void flush(keys::Dependencies& to) {
    for (const auto& [of, use] : uses_) {
      to.note_use(of.digest, use.at, use.scopes);
    }
    uses_.clear();
  }

 private:
  // A key on routes that require one thing; most have one such entry a tick, so the text is copied once.
  struct UseOf {
    keys::KeyDigest digest;
    const std::string* scopes;
    bool operator==(const UseOf&) const = default;
  };
  struct UseHash {
    using is_avalanching = void;
    std::size_t operator()(const UseOf& use) const {
      return keys::DigestHash{}(use.digest) ^ std::hash<const std::string*>{}(use.scopes);
    }
  };
  struct Use {
    std::int64_t at = 0;
    std::string scopes;
  };

  boost::unordered_flat_map<UseOf, Use, UseHash> uses_;
};

}  // namespace keygate::proxy
