#include "config/value.hpp"

#include "config/fault.hpp"
#include "config/hidden_parts.hpp"

#include <filesystem>

namespace keygate::config {
namespace {

// "admin_secrets" of "credentials.admin_secrets[2]".
std::string_view innermost_key(std::string_view path) {
  while (path.ends_with(']') && path.find('[') != path.npos) path = path.substr(0, path.rfind('['));
  return path.substr(path.rfind('.') + 1);
}

// "${A} and ${B}"; "": it refers to no variable.
std::string references_in(const std::string& text) {
  std::string names;
  for (auto start = text.find("${"); start != text.npos; start = text.find("${", start + 2)) {
    const auto end = text.find_first_of(":}", start);
    names += (names.empty() ? "" : " and ") + text.substr(start, end - start) + '}';
  }
  return names;
}

// Takes out of a complaint of `text` what it quotes of it, and says `instead`. A quotation may be a part of the text,
// the text with something around it, or its begin.
void conceal(const std::string& text, const std::string& instead, std::string& message, std::string& hint) {
  constexpr std::size_t shortest = 3;  // or every "a" in a hint would be one
  const std::string whole = quoted(text);
  const std::string begin = whole.substr(1, whole.size() - (whole.ends_with("...\"") ? 5 : 2));
  if (begin.size() >= shortest && hint.find(begin) != hint.npos) hint.clear();
  const auto first = message.find('"'), last = message.rfind('"');
  if (begin.empty() || first == last) return;
  const auto quotation = message.substr(first + 1, last - first - 1);
  const bool is_of_text = text.find(quotation) != text.npos || quotation.find(begin) != quotation.npos;
  if (is_of_text) message.replace(first, last - first + 1, instead);
}

}  // namespace

Position Value::where() const {
  // The library places an empty value at whatever comes after it.
  if (is_null() && entry_ != nullptr) return {reading_->file, entry_->line, entry_->column};
  return {reading_->file, node_->line, node_->column};
}

std::optional<Scalar> Value::scalar(const std::string& form) const {
  if (!is_scalar()) {
    // {org} without quotes is a map to YAML.
    const bool is_braced =
        is_map() && node_->entries.size() == 1 && node_->entries.front().value->kind == YamlNode::Kind::null;
    refuse(form, is_braced   ? "text in braces needs quotes: \"{...}\""
                 : is_list() ? "write one, without brackets or dashes"
                             : "");
    return std::nullopt;
  }
  auto text = substitute(node_->text, reading_->environment);
  if (const auto* fault = std::get_if<Fault>(&text)) {
    complain(fault->message, fault->hint);
    return std::nullopt;
  }
  // In {flow: maps} the braces of a variable have to be quoted, so quotes around one say nothing about its type.
  const bool has_variable = node_->text.find("${") != std::string::npos;
  return Scalar{std::move(std::get<std::string>(text)), node_->is_plain || has_variable};
}

std::vector<Value> Value::items() const {
  std::vector<Value> result;
  for (std::size_t i = 0; i < node_->items.size(); ++i) {
    result.push_back(Value(*node_->items[i], *reading_, path_to_item(path_, i), nullptr));
  }
  return result;
}

std::vector<Value::Member> Value::members() const {
  std::vector<Member> result;
  for (const auto& entry : node_->entries) {
    result.push_back({{entry.key, {reading_->file, entry.line, entry.column}},
                      Value(*entry.value, *reading_, path_to_key(path_, entry.key), &entry)});
  }
  return result;
}

std::optional<Value> Value::member(const std::string& key) const {
  for (const auto& entry : node_->entries) {
    if (entry.key == key) return Value(*entry.value, *reading_, path_to_key(path_, key), &entry);
  }
  return std::nullopt;
}

void Value::complain(std::string message, std::string hint) const {
  report(Severity::error, where(), std::move(message), std::move(hint));
}

void Value::complain_at(Position place, std::string message, std::string hint) const {
  report(Severity::error, std::move(place), std::move(message), std::move(hint));
}

void Value::warn(std::string message, std::string hint) const {
  report(Severity::warning, where(), std::move(message), std::move(hint));
}

void Value::report(Severity severity, Position place, std::string message, std::string hint) const {
  if (severity == Severity::error && ++reading_->errors > max_errors) return;
  if (is_scalar()) conceal_within(message, hint);
  reading_->problems.push_back({severity, std::move(place), path_, std::move(message), std::move(hint)});
}

void Value::refuse(const std::string& form, std::string hint) const {
  complain("needs " + form + (is_null() ? ", but is empty" : ", not " + described()), std::move(hint));
}

std::string Value::path_beside_file(const std::string& name) const {
  return (std::filesystem::path(*reading_->file).parent_path() / name).lexically_normal().string();
}

void Value::conceal_within(std::string& message, std::string& hint) const {
  const std::string variables = references_in(node_->text);
  if (!variables.empty()) {
    const auto filled = substitute(node_->text, reading_->environment);
    const auto* const text = std::get_if<std::string>(&filled);
    conceal(text ? *text : node_->text, text ? "what " + variables + " gives" : "this text", message, hint);
  }
  const auto at = node_->text.rfind('@');
  const bool has_user = at != std::string::npos && node_->text.find(':') < at;  // of a URL, or what was meant for one
  if (may_be_a_secret(innermost_key(path_), node_->text) || has_user) {
    conceal(node_->text, "this text", message, hint);
  }
}

std::string Value::described() const {
  switch (node_->kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return quoted(node_->text);
    case YamlNode::Kind::list:
      return "a list";
    case YamlNode::Kind::map:
      return "a map";
  }
  return {};
}

}  // namespace keygate::config
