// The path and query of a request in the one form that is both matched and forwarded (docs/policy.md).
// Made by proxy's exchange from the raw target, in place: the raw form is overwritten and not kept.
#pragma once

#include "config/path_settings.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

namespace keygate::policy {

enum class TargetFlaw : std::uint8_t {
  not_origin_form,    // does not start with "/" (P-09)
  forbidden_byte,     // outside 0x21-0x7E, or one of "<>\^`{|}#
  bad_escape,         // % without two hex digits (P-16)
  encoded_separator,  // %5C %3B %3F %23, or a control; %2F unless opaque (P-03)
  double_encoding,    // %25 that hides one of those, a dot or another percent sign (P-10)
  empty_segment,      // // anywhere but one trailing slash, unless merged (P-04); nothing before a ; (P-05)
  dot_segment,        // . or .. as a segment, unless resolved; before a ; or beside a %2F (P-01, P-02, P-03, P-05)
  above_root,         // a .. that has nothing to take away (P-01)
  semicolon,          // unless allowed (P-05)
  invalid_utf8,       // P-15
  too_many_segments,  // more than max_segments, empty ones not counted
};

std::string_view to_string(TargetFlaw flaw);

class RequestTarget {
 public:
  static constexpr std::size_t max_segments = 64;

  // `raw` is an origin-form target, "/path" or "/path?query"; its path is put in canonical form inside `raw` itself,
  // which must outlive the result. The query is kept byte for byte, after the same check for forbidden bytes. O(size),
  // allocates nothing. Idempotent: parsing whole() again yields the same bytes. After a flaw `raw` holds no particular
  // form. `rules`: what is put in one form rather than refused.
  static std::variant<RequestTarget, TargetFlaw> parse(std::span<char> raw, config::PathSettings rules = {});

  std::string_view path() const { return whole_.substr(0, path_size_); }
  bool has_query() const { return path_size_ < whole_.size(); }
  // Without the question mark; empty where there is none.
  std::string_view query() const { return has_query() ? whole_.substr(path_size_ + 1) : std::string_view{}; }
  // path, and "?query" where there is one: exactly what is sent, less a credential in the query.
  std::string_view whole() const { return whole_; }

 private:
  RequestTarget(std::string_view whole, std::size_t path_size) : whole_(whole), path_size_(path_size) {}

  std::string_view whole_;
  std::size_t path_size_;
};

}  // namespace keygate::policy
