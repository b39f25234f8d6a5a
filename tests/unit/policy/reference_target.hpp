// The canonical path, as plainly as docs/policy.md has it: taken apart at the slashes, decoded, judged, put together.
// Slow, and nothing of it is the product's. Used by tests of policy/ and by the fuzz target.
#pragma once

#include "config/path_settings.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::policy::testing {

inline constexpr std::string_view unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

inline std::array<config::PathSettings, 16> all_path_rules() {
  std::array<config::PathSettings, 16> all;
  for (unsigned i = 0; i < all.size(); ++i) all[i] = {(i & 1) != 0, (i & 2) != 0, (i & 4) != 0, (i & 8) != 0};
  return all;
}

inline bool is_target_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > 0x20 && c < 0x7F && std::string_view("\"<>\\^`{|}#").find(c) == std::string_view::npos;
  });
}

inline bool is_trap(unsigned byte) {
  return byte < 0x20 || byte == 0x7F ||
         std::string_view("/\\;?#").find(static_cast<char>(byte)) != std::string_view::npos;
}

inline std::optional<unsigned> hex_byte(std::string_view two) {
  constexpr std::string_view digits = "0123456789abcdefABCDEF";
  if (two.size() < 2 || digits.find(two[0]) == std::string_view::npos || digits.find(two[1]) == std::string_view::npos)
    return std::nullopt;
  return static_cast<unsigned>(std::stoul(std::string(two.substr(0, 2)), nullptr, 16));
}

// By the code points themselves, rather than by the ranges of bytes.
inline bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (size == 0 || i + size > text.size()) return false;
    unsigned point = size == 1 ? lead : lead & (0xFFU >> (size + 1));
    for (std::size_t k = 1; k < size; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if (byte >> 6 != 2) return false;
      point = point << 6 | (byte & 0x3FU);
    }
    constexpr unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[size] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
    i += size;
  }
  return true;
}

inline std::vector<std::string> split_at(std::string_view text, char separator) {
  std::vector<std::string> pieces(1);
  for (const char c : text) {
    if (c == separator) {
      pieces.emplace_back();
    } else {
      pieces.back() += c;
    }
  }
  return pieces;
}

struct ReferenceSegment {
  std::string decoded;   // every escape
  std::string spelling;  // only escapes that are needed, in upper case
};

// nullopt: a broken escape, or one that no path may have.
inline std::optional<ReferenceSegment> reference_segment(std::string_view raw, config::PathSettings rules) {
  ReferenceSegment segment;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char c = raw[i];
    if (c == ';' && !rules.allow_semicolons) return std::nullopt;
    segment.decoded += c;
    segment.spelling += c;
    if (c != '%') continue;
    const auto byte = hex_byte(raw.substr(i + 1));
    if (!byte || (is_trap(*byte) && !(*byte == '/' && rules.opaque_slashes))) return std::nullopt;
    segment.decoded.back() = static_cast<char>(*byte);
    if (*byte < 0x80 && unreserved.find(static_cast<char>(*byte)) != std::string_view::npos) {
      segment.spelling.back() = static_cast<char>(*byte);
    } else {
      constexpr std::string_view digits = "0123456789ABCDEF";
      segment.spelling += {digits[*byte >> 4], digits[*byte & 15]};
    }
    i += 2;
  }
  for (auto at = segment.decoded.find('%'); at != std::string::npos; at = segment.decoded.find('%', at + 1)) {
    const auto byte = hex_byte(std::string_view(segment.decoded).substr(at + 1));  // for the next decoder down the line
    if (byte && (is_trap(*byte) || *byte == '.' || *byte == '%')) return std::nullopt;
  }
  const auto pieces = split_at(segment.decoded, '/');
  for (const auto& piece : pieces) {
    const auto name = piece.substr(0, piece.find(';'));
    const bool is_dots = name == "." || name == "..";
    if (name.size() < piece.size() ? is_dots || name.empty() : is_dots && pieces.size() > 1) return std::nullopt;
  }
  return is_utf8(segment.decoded) ? std::optional(segment) : std::nullopt;
}

// nullopt: `raw`, which has no query, is refused.
inline std::optional<std::string> reference_path(std::string_view raw, config::PathSettings rules) {
  if (!raw.starts_with('/') || !is_target_text(raw) || raw.find('?') != std::string_view::npos) return std::nullopt;
  const auto segments = split_at(raw.substr(1), '/');
  std::vector<std::string> kept;
  bool ends_in_slash = false;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto segment = reference_segment(segments[i], rules);
    const bool is_last = i + 1 == segments.size();
    if (!segment || (segment->decoded.empty() && !is_last && !rules.merge_slashes)) return std::nullopt;
    const bool is_dots = segment->decoded == "." || segment->decoded == "..";
    if (is_dots && !rules.resolve_dots) return std::nullopt;
    ends_in_slash = segment->decoded.empty() || is_dots;
    if (segment->decoded == "..") {
      if (kept.empty()) return std::nullopt;
      kept.pop_back();
    } else if (!ends_in_slash) {
      kept.push_back(segment->spelling);
    }
    if (kept.size() > 64) return std::nullopt;
  }
  std::string path;
  for (const auto& segment : kept) path += '/' + segment;
  return path.empty() || ends_in_slash ? path + '/' : path;
}

}  // namespace keygate::policy::testing
