// What a percent escape in a path stands for (RFC 3986 §2.1). Used by target, route_table and decide.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace keygate::policy {

inline constexpr std::size_t escape_size = 3;

constexpr bool is_unreserved(unsigned byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-' ||
         byte == '.' || byte == '_' || byte == '~';
}

constexpr std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return std::nullopt;
}

// The byte that `text` begins with an escape of; nullopt where it begins with no whole escape.
constexpr std::optional<unsigned> escaped_byte(std::string_view text) {
  if (text.size() < escape_size || text[0] != '%') return std::nullopt;
  const auto high = hex_value(text[1]);
  const auto low = hex_value(text[2]);
  if (!high || !low) return std::nullopt;
  return *high * 16 + *low;
}

struct HexDigit {
  unsigned value;
  std::size_t size;  // of its spelling: "2" or "%32"
};

// The hex digit that `text` begins with, itself perhaps escaped.
constexpr std::optional<HexDigit> read_hex_digit(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (const auto value = hex_value(text[0])) return HexDigit{*value, 1};
  const auto byte = escaped_byte(text);
  if (!byte || *byte >= 0x80) return std::nullopt;
  const auto value = hex_value(static_cast<char>(*byte));
  return value ? std::optional(HexDigit{*value, escape_size}) : std::nullopt;
}

// Reads a text byte by byte with its escapes decoded, allocating nothing. Of a canonical path, which has no broken
// escape; elsewhere a percent sign without two digits reads as itself.
class Decoded {
 public:
  explicit constexpr Decoded(std::string_view text) : text_(text) {}

  constexpr bool at_end() const { return text_.empty(); }

  constexpr unsigned char next() {
    const auto byte = escaped_byte(text_);
    const auto c = byte ? static_cast<unsigned char>(*byte) : static_cast<unsigned char>(text_[0]);
    text_.remove_prefix(byte ? escape_size : 1);
    return c;
  }

 private:
  std::string_view text_;
};

}  // namespace keygate::policy
