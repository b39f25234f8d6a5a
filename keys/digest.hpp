// SHA-256 of an API key: the only form of it that is stored, cached or logged.
#pragma once

#include "keys/secret.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace keygate::keys {

struct KeyDigest {
  std::array<std::uint8_t, 32> bytes{};
  bool operator==(const KeyDigest&) const = default;
};

// 64 lower-case hex digits, and back.
std::string to_hex(const KeyDigest& digest);
std::optional<KeyDigest> digest_from_hex(std::string_view hex);

// Any eight bytes of a SHA-256 are a good hash.
struct DigestHash {
  using is_avalanching = void;
  std::size_t operator()(const KeyDigest& digest) const {
    std::size_t hash;
    std::memcpy(&hash, digest.bytes.data(), sizeof hash);
    return hash;
  }
};

// Makes digests. Holds a prepared context (fetching one costs more than hashing), so one a thread; not thread-safe.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  KeyDigest operator()(SecretView secret);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keygate::keys

template <>
struct std::hash<keygate::keys::KeyDigest> : keygate::keys::DigestHash {};
