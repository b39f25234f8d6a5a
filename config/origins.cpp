#include "config/origins.hpp"

#include <algorithm>

namespace keygate::config {
namespace {

using Kind = YamlNode::Kind;

YamlNodePtr child(const YamlNodePtr& map, std::string_view key) {
  if (!map || map->kind != Kind::map) return nullptr;
  const auto found = std::ranges::find(map->entries, key, &YamlEntry::key);
  if (found == map->entries.end() || found->value->kind != Kind::null) {
    return found == map->entries.end() ? nullptr : found->value;
  }
  auto empty = std::make_shared<YamlNode>(*found->value);  // placed by the library at whatever comes after it
  empty->line = found->line;
  empty->column = found->column;
  return empty;
}

YamlNodePtr map_of_one(const YamlNodePtr& value, std::string key) {
  auto map = std::make_shared<YamlNode>(*value);
  map->kind = Kind::map;
  map->items.clear();
  map->entries = {{std::move(key), value->line, value->column, value}};
  return map;
}

YamlNodePtr list_of_one(const YamlNodePtr& value) {
  auto list = std::make_shared<YamlNode>(*value);
  list->kind = Kind::list;
  list->entries.clear();
  list->items = {value};
  return list;
}

void set(YamlNode& map, const std::string& key, YamlNodePtr value) {
  std::erase_if(map.entries, [&](const YamlEntry& entry) { return entry.key == key; });
  const int line = value->line, column = value->column;
  map.entries.push_back({key, line, column, std::move(value)});
}

// In the order in which the settings have them: the shorthand first.
YamlNodePtr without_shorthands(const YamlNodePtr& root) {
  auto whole = std::make_shared<YamlNode>(*root);
  if (const auto listen = child(root, "listen")) {
    auto all = std::make_shared<YamlNode>(*list_of_one(map_of_one(listen, "address")));
    if (const auto listeners = child(root, "listeners")) {
      all->items.insert(all->items.end(), listeners->items.begin(), listeners->items.end());
    }
    set(*whole, "listeners", std::move(all));
  }
  if (const auto upstream = child(root, "upstream")) {
    auto all = std::make_shared<YamlNode>(*map_of_one(map_of_one(list_of_one(upstream), "endpoints"), "default"));
    if (const auto upstreams = child(root, "upstreams")) {
      all->entries.insert(all->entries.end(), upstreams->entries.begin(), upstreams->entries.end());
    }
    set(*whole, "upstreams", std::move(all));
  }
  return whole;
}

}  // namespace

Written Written::read(std::string_view text, const std::string& file) {
  auto name = std::make_shared<const std::string>(file);
  const YamlDocument document = read_yaml(text, name);
  const bool is_map = document.root && document.root->kind == Kind::map;
  return {std::move(name), is_map ? without_shorthands(document.root) : nullptr};
}

Written Written::member(std::string_view key) const {
  const bool is_other = node_ && (node_->kind == Kind::scalar || node_->kind == Kind::list);
  return {file_, is_other ? node_ : child(node_, key)};
}

Written Written::item(std::size_t index) const {
  if (!node_ || node_->kind != Kind::list) return *this;
  return {file_, index < node_->items.size() ? node_->items[index] : nullptr};
}

std::optional<Position> Written::where() const {
  if (!node_) return std::nullopt;
  return Position{file_, node_->line, node_->column};
}

std::vector<std::string> Written::variables() const {
  std::vector<std::string> names;
  if (!node_ || node_->kind != Kind::scalar) return names;
  const std::string& written = node_->text;
  for (std::size_t at = written.find('$'); at != std::string::npos && at + 1 < written.size();
       at = written.find('$', at + 2)) {
    if (written[at + 1] != '{') continue;  // a dollar that is meant as one
    const std::size_t end = written.find_first_of(":}", at);
    names.push_back(written.substr(at + 2, end - at - 2));
  }
  return names;
}

std::optional<std::string> Written::text() const {
  if (!node_ || node_->kind != Kind::scalar) return std::nullopt;
  return node_->text;
}

}  // namespace keygate::config
