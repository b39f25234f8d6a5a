// YAML text as a tree, strictly: what the YAML library lets pass (duplicate keys, a second document, unknown tags,
// aliases that multiply) is a Problem here. The library itself appears in the .cpp alone.
#pragma once

#include "config/problem.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::config {

struct YamlNode;
using YamlNodePtr = std::shared_ptr<const YamlNode>;  // an alias shares the node that it names

struct YamlEntry {
  std::string key;
  int line = 0;
  int column = 0;
  YamlNodePtr value;
};

struct YamlNode {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  bool is_plain = true;  // a scalar without quotes, which alone may be a number or a boolean
  int line = 0;
  int column = 0;
  std::size_t size = 1;  // nodes in it, aliases counted as often as they stand
  std::string text;
  std::vector<YamlNodePtr> items;
  std::vector<YamlEntry> entries;  // keys are unique: of two equal ones the first stays
};

inline constexpr std::size_t max_yaml_nodes = 2'000'000;
inline constexpr std::size_t max_yaml_depth = 64;
inline constexpr std::size_t max_yaml_problems = 1'000;  // the rest is not told

struct YamlDocument {
  YamlNodePtr root;  // null where the text cannot be read at all; a problem then says why
  Problems problems;
};

// One document. Time and memory are linear in the text, whatever the aliases say. Throws nothing but bad_alloc.
YamlDocument read_yaml(std::string_view text, const std::shared_ptr<const std::string>& file);

// "routes[2]" and "path" make "routes[2].path"; a key that is no plain word is put in brackets: scopes["a:b"].
std::string path_to_key(const std::string& parent, const std::string& key);
std::string path_to_item(const std::string& parent, std::size_t index);

}  // namespace keygate::config
