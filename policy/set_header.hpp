// A header that a route has its upstream sent, taken apart: "{org}/{project}", "{principal.organization}", text.
// Made by compile, written by proxy's forward_head.
#pragma once

#include "config/policy_document.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::policy {

struct HeaderPiece {
  enum class Kind : std::uint8_t { text, segment, rest, organization, key, user, environment, method };
  Kind kind = Kind::text;
  std::string text;         // of text
  std::size_t segment = 0;  // of segment, and where a rest begins
};

struct SetHeader {
  std::string name;
  std::vector<HeaderPiece> pieces;
};

// Of a canonical path, all from its n-th segment on (counted from 0), without the slash before it; empty past the end.
std::string_view rest_of(std::string_view path, std::size_t number);

// The names that any route sets. No client may say them on any route: an upstream could not tell who did.
std::vector<std::string> set_header_names(const std::vector<config::RouteDocument>& routes);

}  // namespace keygate::policy
