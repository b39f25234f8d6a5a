// What an API key looks like: judged without I/O before anything is looked up, and how new ones are made
// (docs/configuration.md).
#pragma once

#include "config/settings.hpp"
#include "keys/secret.hpp"
#include "policy/principal.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::keys {

inline constexpr std::size_t key_size = 48;           // of a key that we make, prefix included
inline constexpr std::size_t max_prefix_size = 10;    // leaves at least 190 random bits
inline constexpr std::size_t shown_prefix_size = 12;  // what the store keeps of a key's text

class KeyFormats {
 public:
  explicit KeyFormats(std::vector<config::KeyFormatSettings> formats);

  // Without a format everything that looks like a token is a key.
  bool empty() const { return formats_.empty(); }

  // The environment that the longest fitting prefix gives (none where it gives none); nullopt: fits no format. Where no
  // format is configured every text of 20 to 256 characters of [A-Za-z0-9._~+/=-] fits. A key has to have its format's
  // length (20 to 256 where it names none), be alphanumeric after the prefix (or [._~+/=-] where the length is open),
  // and carry the checksum where one is asked for. The longest prefix alone decides: a key that starts with rk_test_
  // but is too short for it is not tried as rk_.
  std::optional<policy::Environment> fit(SecretView key) const;

 private:
  std::vector<config::KeyFormatSettings> formats_;  // longest prefix first
};

// Six base62 digits: CRC-32 of everything before them, most significant first, zero padded.
std::string checksum_of(std::string_view body);
bool has_valid_checksum(std::string_view key);

// prefix + random base62 + checksum, key_size characters. Randomness: RAND_bytes, without modulo bias; throws
// std::runtime_error where the system gives none, std::invalid_argument for a prefix not [A-Za-z0-9_]{1,10}.
Secret generate_key(std::string_view prefix);

}  // namespace keygate::keys
