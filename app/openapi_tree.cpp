#include "app/openapi_tree.hpp"

#include "app/json_places.hpp"
#include "config/fault.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace keygate::app {
namespace {

using Kind = YamlNode::Kind;

// Without quotes, some reader of YAML takes it for something else than text (1.1 and 1.2 differ on yes and on).
bool is_ambiguous(const std::string& text) {
  constexpr std::array<std::string_view, 10> taken{"true", "false", "yes", "no", "on", "off", "y", "n", "null", "~"};
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower.empty() || std::ranges::find(taken, lower) != taken.end()) return true;
  const bool is_signed = lower[0] == '+' || lower[0] == '-' || lower[0] == '.';
  return std::isdigit(static_cast<unsigned char>(lower[0])) != 0 || is_signed;
}

std::string kind_of(const YamlNode& node) {
  switch (node.kind) {
    case Kind::null:
      return "nothing";
    case Kind::scalar:
      return node.is_plain && is_ambiguous(node.text) ? "the bare word " + node.text : config::quoted(node.text);
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a map";
  }
  return "";
}

}  // namespace

std::variant<Document, config::Problem> Document::parse(std::string_view text, const std::string& name) {
  const auto file = std::make_shared<const std::string>(name);
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  const std::string_view body = text.starts_with(byte_order_mark) ? text.substr(byte_order_mark.size()) : text;
  const std::size_t begin = body.find_first_not_of(" \t\r\n");
  if (begin != body.npos && body[begin] == '{') {
    auto read = read_json_places(body, file);
    if (auto* problem = std::get_if<config::Problem>(&read)) return std::move(*problem);
    return Document(std::get<YamlNodePtr>(std::move(read)), file);
  }
  auto document = config::read_yaml(text, file);
  if (config::has_errors(document.problems)) return std::move(document.problems.front());
  return Document(std::move(document.root), file);
}

config::Position Document::place(const DocumentValue& value) const {
  return {file_, value.node->line, value.node->column};
}

void Document::refuse(const DocumentValue& value, std::string message, std::string hint) const {
  throw DocumentFault{{config::Severity::error, place(value), value.path, std::move(message), std::move(hint)}};
}

std::vector<std::pair<std::string, DocumentValue>> Document::members(const DocumentValue& map) const {
  if (map.node->kind != Kind::map) refuse(map, "needs to be a map, not " + kind_of(*map.node));
  std::vector<std::pair<std::string, DocumentValue>> members;
  for (const config::YamlEntry& entry : map.node->entries) {
    if (entry.key == "<<") refuse(map, "has a merge key, which readers of YAML disagree on", "write its keys out");
    members.emplace_back(entry.key, DocumentValue{entry.value.get(), config::path_to_key(map.path, entry.key)});
  }
  return members;
}

DocumentValue Document::member(const DocumentValue& map, std::string_view name) const {
  for (auto& [key, value] : members(map)) {
    if (key == name) return std::move(value);
  }
  return {};
}

std::vector<DocumentValue> Document::items(const DocumentValue& list) const {
  if (list.node->kind != Kind::list) refuse(list, "needs to be a list, not " + kind_of(*list.node));
  std::vector<DocumentValue> items;
  for (const YamlNodePtr& item : list.node->items) {
    items.push_back({item.get(), config::path_to_item(list.path, items.size())});
  }
  return items;
}

const std::string& Document::word(const DocumentValue& value) const {
  const YamlNode& node = *value.node;
  const bool is_text = node.kind == Kind::scalar && !(node.is_plain && is_ambiguous(node.text)) && !node.text.empty();
  if (!is_text)
    refuse(value, "needs to be text, not " + kind_of(node), node.kind == Kind::scalar ? "put it in quotes" : "");
  return node.text;
}

std::vector<std::string> Document::words(const DocumentValue& value) const {
  if (value.node->kind != Kind::list) return {word(value)};
  std::vector<std::string> words;
  for (const DocumentValue& item : items(value)) words.push_back(word(item));
  if (words.empty()) refuse(value, "is empty", "name what is needed, or leave it out");
  return words;
}

void Document::require_known_keys(const DocumentValue& map, const std::vector<std::string>& known) const {
  for (const auto& [key, value] : members(map)) {
    if (key.starts_with("x-") || std::ranges::find(known, key) != known.end()) continue;
    const std::string near = config::nearest_word(key, known);
    refuse(value, "is nothing that OpenAPI has in this place",
           near.empty() ? "" : "did you mean " + config::quoted(near) + "?");
  }
}

}  // namespace keygate::app
