// What stands under a key of a Kubernetes manifest? Used by inject and inject_notes.
#pragma once

#include "config/yaml_reader.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace keygate::app {

inline const config::YamlEntry* find_entry(const config::YamlNode& map, std::string_view key) {
  const auto found =
      std::find_if(map.entries.begin(), map.entries.end(), [key](const config::YamlEntry& e) { return e.key == key; });
  return found == map.entries.end() ? nullptr : &*found;
}

// Empty where there is none, or no text.
inline std::string text_under(const config::YamlNode& map, std::string_view key) {
  const config::YamlEntry* const entry = find_entry(map, key);
  return entry != nullptr ? entry->value->text : std::string();
}

}  // namespace keygate::app
