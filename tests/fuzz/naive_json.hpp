// JSON read by nothing but the grammar of RFC 8259, strictly and slowly: what keys/strict_json, and whatever reads an
// answer or a record through it, are held against. Shares no code with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keygate::fuzz {

struct Json {
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  bool is_true = false;
  std::string text{};  // of a string what it means, of a number what was written
  std::vector<Json> items{};
  std::vector<std::pair<std::string, Json>> members{};

  bool is(Kind wanted) const { return kind == wanted; }
  const Json* member(std::string_view name) const;  // null: no object, or none of that name
  // Without a point and an exponent, and in 64 bits.
  std::optional<std::int64_t> integer() const;
};

// One value in valid UTF-8, no member twice, at most `max_depth` arrays and objects within each other.
std::optional<Json> naive_json(std::string_view text, std::size_t max_depth);

}  // namespace keygate::fuzz
