// Which paths that could be read in two ways are put in one form, rather than refused: part of Settings
// (docs/configuration.md). policy/target does it.
#pragma once

namespace keygate::config {

struct PathSettings {
  bool opaque_slashes = false;  // encoded_slash: opaque
  bool merge_slashes = false;   // repeated_slashes: merge
  bool resolve_dots = false;    // dot_segments: resolve
  bool allow_semicolons = false;

  bool operator==(const PathSettings&) const = default;
};

}  // namespace keygate::config
