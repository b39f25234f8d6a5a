// Which kinds of characters may stand in credentials? One look at a table a byte: it is asked for each byte of each
// key.
#pragma once

#include "keys/base62.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace keygate::keys {

enum class CharacterClass : std::uint8_t {
  alphanumeric = 1,
  b64 = 2,    // RFC 6750 §2.1, b64token without its padding
  token = 4,  // RFC 9110 §5.6.2
  open = 8,   // of a key that fits no format: b64token with its padding anywhere
};

inline constexpr std::array<std::uint8_t, 256> character_classes = [] {
  std::array<std::uint8_t, 256> table{};
  const auto add = [&table](std::string_view characters, unsigned classes) {
    for (const char c : characters) {
      const auto at = static_cast<unsigned char>(c);
      table[at] = static_cast<std::uint8_t>(table[at] | classes);
    }
  };
  add(base62_digits, 1U | 2U | 4U | 8U);
  add("-._~+/", 2U | 8U);
  add("=", 8U);
  add("!#$%&'*+-.^_`|~", 4U);
  return table;
}();

constexpr bool is_of(CharacterClass wanted, char c) {
  return (character_classes[static_cast<unsigned char>(c)] & static_cast<std::uint8_t>(wanted)) != 0;
}

// Whether all of `text` is; of none, true.
constexpr bool is_all(CharacterClass wanted, std::string_view text) {
  return std::ranges::all_of(text, [wanted](char c) { return is_of(wanted, c); });
}

}  // namespace keygate::keys
