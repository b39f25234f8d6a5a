#include "policy/path_changes.hpp"

#include "policy/target.hpp"

#include <array>
#include <string>
#include <utility>
#include <variant>

namespace keygate::policy {

std::string_view key_of(PathChange change) {
  switch (change) {
    case PathChange::opaque_slash:
      return "encoded_slash";
    case PathChange::merged_slashes:
      return "repeated_slashes";
    case PathChange::resolved_dots:
      return "dot_segments";
    case PathChange::kept_semicolon:
      return "semicolon";
  }
  return "";
}

std::string_view to_string(PathChange change) {
  switch (change) {
    case PathChange::opaque_slash:
      return "%2F is part of its segment (paths.encoded_slash: opaque)";
    case PathChange::merged_slashes:
      return "slashes in a row became one (paths.repeated_slashes: merge)";
    case PathChange::resolved_dots:
      return "dot segments were resolved (paths.dot_segments: resolve)";
    case PathChange::kept_semicolon:
      return "a semicolon is part of its segment (paths.semicolon: allow)";
  }
  return "";
}

std::vector<PathChange> path_changes(std::string_view raw, config::PathSettings rules) {
  using Rule = bool config::PathSettings::*;
  constexpr std::array<std::pair<PathChange, Rule>, 4> all{
      {{PathChange::opaque_slash, &config::PathSettings::opaque_slashes},
       {PathChange::merged_slashes, &config::PathSettings::merge_slashes},
       {PathChange::resolved_dots, &config::PathSettings::resolve_dots},
       {PathChange::kept_semicolon, &config::PathSettings::allow_semicolons}}};
  std::vector<PathChange> changes;
  for (const auto& [change, rule] : all) {
    if (!(rules.*rule)) continue;
    auto without = rules;
    without.*rule = false;
    std::string room(raw);
    if (std::holds_alternative<TargetFlaw>(RequestTarget::parse(room, without))) changes.push_back(change);
  }
  return changes;
}

}  // namespace keygate::policy
