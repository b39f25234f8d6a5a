// Uses of keys on their way to the store: gathered by many, written by one, now and then.
#pragma once

#include "keys/digest.hpp"
#include "keys/store.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::keys {

class NotedUses {
 public:
  static constexpr std::size_t max_keys = 100'000;  // between two writes; more are let go
  static constexpr std::size_t max_scopes = 64;     // of one key, likewise

  // `scopes`: one blank between two. Any thread.
  void note(const KeyDigest& digest, std::int64_t at, std::string_view scopes);

  // All there are; then there are none.
  std::vector<KeyUse> take();
  bool is_empty();
  // Those that could not be written.
  void give_back(std::vector<KeyUse> uses);

 private:
  struct Use {
    std::int64_t at = 0;
    std::vector<std::string> scopes;
  };

  Use* find_or_add(const KeyDigest& digest);
  static void add_scope(Use& use, std::string_view scope);

  std::mutex mutex_;
  boost::unordered_flat_map<KeyDigest, Use, DigestHash> uses_;
};

}  // namespace keygate::keys
