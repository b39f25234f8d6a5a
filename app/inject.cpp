#include "app/inject.hpp"

#include "app/inject_notes.hpp"
#include "app/manifest_node.hpp"
#include "app/sidecar_manifest.hpp"
#include "config/yaml_reader.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

namespace keygate::app {
namespace {

using config::Fault;
using config::YamlEntry;
using config::YamlNode;

constexpr std::string_view default_container = "kubectl.kubernetes.io/default-container";

bool has_named(const YamlEntry* list, std::string_view name) {
  return list != nullptr && std::any_of(list->value->items.begin(), list->value->items.end(),
                                        [name](const auto& item) { return text_under(*item, "name") == name; });
}

// Of a Deployment and its like.
const YamlEntry* template_of(const YamlNode& root) {
  const YamlEntry* const spec = find_entry(root, "spec");
  return spec != nullptr ? find_entry(*spec->value, "template") : nullptr;
}

std::string replaced(std::string_view text, std::string_view mark, std::string_view value) {
  std::string out(text);
  if (const std::size_t at = out.find(mark); at != std::string::npos) out.replace(at, mark.size(), value);
  return out;
}

// One document among the lines of all, with what is to be put between its lines.
class Document {
 public:
  Document(std::vector<std::string_view> lines, std::size_t first_line)
      : lines_(std::move(lines)), first_(first_line) {}

  std::optional<Fault> inject(const SidecarSettings& settings, Injected& result);
  void append_to(std::string& out) const;

 private:
  Fault fault(int line, const std::string& message, std::string hint = {}) const {
    return {"line " + std::to_string(first_ + static_cast<std::size_t>(line)) + ": " + message, std::move(hint)};
  }
  std::string_view line(int number) const { return lines_.at(static_cast<std::size_t>(number) - 1); }
  static std::size_t indent_of(std::string_view line) { return std::min(line.find_first_not_of(' '), line.size()); }
  void put(int before_line, std::size_t indent, std::string_view text);

  // The line that a key stands on by itself; a key inside {…} stands on none.
  std::optional<Fault> flow_fault(const YamlEntry& entry) const;
  std::optional<Fault> add_items(const YamlNode& spec, std::string_view key, const std::string& items);
  std::optional<Fault> annotate(const YamlNode& pod, const YamlNode& template_, const YamlEntry& spec);
  std::optional<Fault> look_again() const;

  std::vector<std::string_view> lines_;  // with their ends
  std::size_t first_;
  std::vector<std::pair<int, std::string>> added_;  // before which line, what; of one line in this order
};

void Document::put(int before_line, std::size_t indent, std::string_view text) {
  const bool is_crlf = line(before_line).ends_with("\r\n");
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out.append(indent, ' ').append(text.substr(0, end)).append(is_crlf ? "\r\n" : "\n");
    text.remove_prefix(end + 1);
  }
  added_.emplace_back(before_line, std::move(out));
}

std::optional<Fault> Document::flow_fault(const YamlEntry& entry) const {
  const std::string_view text = line(entry.line);
  const std::string_view from_key = text.substr(indent_of(text));
  const bool is_first =
      from_key.starts_with(entry.key) || (from_key.size() > 1 && from_key.substr(1).starts_with(entry.key));
  if (is_first && !from_key.starts_with('{')) return std::nullopt;
  return fault(entry.line, "\"" + entry.key + "\" is written in flow style, {…}, into which no line can be put",
               "write it on a line of its own");
}

// To the list `key` of the pod, at its beginning; where there is none, before the containers.
std::optional<Fault> Document::add_items(const YamlNode& spec, std::string_view key, const std::string& items) {
  const YamlEntry* const list = find_entry(spec, key);
  if (list == nullptr) {
    const YamlEntry& containers = *find_entry(spec, "containers");
    const std::size_t indent = indent_of(line(containers.line));
    put(containers.line, indent, std::string(key) + ":\n");
    put(containers.line, indent + 2, items);
    return std::nullopt;
  }
  if (auto flow = flow_fault(*list)) return flow;
  const int last = list->value->items.empty() ? list->line : std::max(list->line, list->value->items.front()->line);
  for (int number = list->line + 1; number <= last; ++number) {
    const std::string_view text = line(number);
    if (text.substr(indent_of(text)).starts_with('-')) {
      put(number, indent_of(text), items);
      return std::nullopt;
    }
  }
  return fault(list->line, "\"" + std::string(key) + "\" is not a list with a line for each item",
               "write the items below it, each behind a dash, or leave it out");
}

// kubectl logs and exec go on to mean the application. A convenience: where no line can be put, it is left out.
std::optional<Fault> Document::annotate(const YamlNode& pod, const YamlNode& template_, const YamlEntry& spec) {
  const YamlEntry* const containers = find_entry(pod, "containers");
  const std::string name =
      containers->value->items.empty() ? "" : text_under(*containers->value->items.front(), "name");
  const std::string one = std::string(default_container) + ": " + name + "\n";
  const YamlEntry* const metadata = find_entry(template_, "metadata");
  if (name.empty()) return std::nullopt;
  if (metadata == nullptr || metadata->value->entries.empty()) {
    if (metadata != nullptr) return std::nullopt;
    const std::size_t indent = indent_of(line(spec.line));
    put(spec.line, indent, "metadata:\n");
    put(spec.line, indent + 2, "annotations:\n");
    put(spec.line, indent + 4, one);
    return std::nullopt;
  }
  const YamlEntry* const annotations = find_entry(*metadata->value, "annotations");
  if (annotations != nullptr && find_entry(*annotations->value, default_container) != nullptr) return std::nullopt;
  const YamlNode& into = annotations != nullptr ? *annotations->value : *metadata->value;
  if (into.entries.empty()) return std::nullopt;
  const YamlEntry& first = into.entries.front();
  if (flow_fault(first)) return std::nullopt;
  const std::size_t indent = indent_of(line(first.line));
  if (annotations == nullptr) put(first.line, indent, "annotations:\n");
  put(first.line, annotations == nullptr ? indent + 2 : indent, one);
  return std::nullopt;
}

// Lines in between other lines are YAML in block style alone: what came out is read as a cluster would.
std::optional<Fault> Document::look_again() const {
  std::string text;
  append_to(text);
  const auto document = config::read_yaml(text, std::make_shared<const std::string>("manifest"));
  const YamlEntry* const pod = document.root ? template_of(*document.root) : nullptr;
  const YamlEntry* const spec = pod != nullptr ? find_entry(*pod->value, "spec") : nullptr;
  if (spec != nullptr && has_named(find_entry(*spec->value, "initContainers"), "keygate")) return std::nullopt;
  return fault(1, "no lines can be put into this one: it is JSON, or has {…} or […] over several lines",
               "write it as YAML with a line for each key");
}

std::optional<Fault> Document::inject(const SidecarSettings& settings, Injected& result) {
  std::string text;
  bool is_empty = true;
  for (const std::string_view one : lines_) {
    const std::size_t begin = one.find_first_not_of(" \t\r\n");
    is_empty = is_empty && (begin == std::string_view::npos || one[begin] == '#');
    text += one;
  }
  if (is_empty) return std::nullopt;
  const auto document = config::read_yaml(text, std::make_shared<const std::string>("manifest"));
  for (const config::Problem& problem : document.problems) {
    if (problem.severity == config::Severity::error) return fault(problem.where.line, problem.message, problem.hint);
  }
  if (document.root && text_under(*document.root, "kind").ends_with("List") &&
      find_entry(*document.root, "items") != nullptr) {
    return fault(1, "a list of objects", "write each as a document of its own, with --- before it");
  }
  constexpr std::array<std::string_view, 3> kinds{"Deployment", "StatefulSet", "DaemonSet"};
  if (!document.root || std::find(kinds.begin(), kinds.end(), text_under(*document.root, "kind")) == kinds.end()) {
    return std::nullopt;
  }
  const YamlNode& root = *document.root;
  const YamlEntry* const template_ = template_of(root);
  const YamlEntry* const spec = template_ != nullptr ? find_entry(*template_->value, "spec") : nullptr;
  const YamlEntry* const containers = spec != nullptr ? find_entry(*spec->value, "containers") : nullptr;
  if (containers == nullptr)
    return fault(root.line, "a " + text_under(root, "kind") + " without spec.template.spec.containers");
  const YamlNode& pod = *spec->value;
  if (has_named(find_entry(pod, "initContainers"), "keygate") || has_named(containers, "keygate")) {
    ++result.had_it;
    return std::nullopt;
  }
  for (const YamlEntry* const entry : {spec, containers}) {
    if (auto flow = flow_fault(*entry)) return flow;
  }
  if (auto refused = add_items(pod, "initContainers", replaced(sidecar, "@IMAGE@", settings.image))) return refused;
  std::string volumes;
  const YamlEntry* const present = find_entry(pod, "volumes");
  if (!has_named(present, "keygate-config")) volumes += replaced(config_volume, "@CONFIG_MAP@", settings.config_map);
  if (!has_named(present, "keygate-secrets")) volumes += replaced(secrets_volume, "@CONFIG_MAP@", settings.config_map);
  if (!has_named(present, "keygate-run")) volumes += run_volume;
  if (!volumes.empty()) {
    if (auto refused = add_items(pod, "volumes", volumes)) return refused;
  }
  if (auto refused = annotate(pod, *template_->value, *spec)) return refused;
  if (auto refused = look_again()) return refused;
  ++result.added;
  for (const auto& container : containers->value->items) {
    for (std::string& note : notes_on(*container)) result.notes.push_back(std::move(note));
  }
  return std::nullopt;
}

void Document::append_to(std::string& out) const {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    for (const auto& [before, text] : added_) {
      if (before == static_cast<int>(i) + 1) out += text;
    }
    out += lines_[i];
  }
}

// "---" begins a document, whatever stands behind it on the line.
bool is_separator(std::string_view line) {
  return line.starts_with("---") &&
         (line.size() == 3 || line[3] == ' ' || line[3] == '\n' || line[3] == '\r' || line[3] == '\t');
}

}  // namespace

std::variant<Injected, Fault> inject_sidecar(std::string_view manifests, const SidecarSettings& settings) {
  Injected result;
  std::vector<std::string_view> lines;
  std::size_t first = 0, number = 0;
  std::optional<Fault> refused;
  const auto finish = [&] {
    Document document(std::exchange(lines, {}), first);
    if (!refused) refused = document.inject(settings, result);
    document.append_to(result.text);
    first = number;
  };
  while (!manifests.empty()) {
    const std::size_t end = manifests.find('\n');
    const std::string_view line = manifests.substr(0, end == std::string_view::npos ? manifests.size() : end + 1);
    manifests.remove_prefix(line.size());
    if (is_separator(line)) {
      finish();
      const std::size_t content = line.find_first_not_of(" \t\r\n", 3);
      if (!refused && content != std::string_view::npos && line[content] != '#') {
        refused = Fault{"line " + std::to_string(number) + ": a document begins beside its ---", "write it below"};
      }
      result.text += line;
      first = ++number;
      continue;
    }
    lines.push_back(line);
    ++number;
  }
  finish();
  if (refused) return *refused;
  return result;
}

}  // namespace keygate::app
