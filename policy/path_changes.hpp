// Which relaxations of `paths` does a path owe it to that it is taken? For people, by way of `keygate explain`; the
// data path never asks.
#pragma once

#include "config/path_settings.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace keygate::policy {

enum class PathChange : std::uint8_t { opaque_slash, merged_slashes, resolved_dots, kept_semicolon };

// The key of `paths` that asks for it.
std::string_view key_of(PathChange change);
// For people: "slashes in a row became one (paths.repeated_slashes: merge)".
std::string_view to_string(PathChange change);

// `raw`: a target in origin-form as it came, that `rules` take. Pure: each relaxation is tried without.
std::vector<PathChange> path_changes(std::string_view raw, config::PathSettings rules);

}  // namespace keygate::policy
