#include "config/yaml_reader.hpp"

#include "config/fault.hpp"
#include "config/source_text.hpp"
#include "config/yaml_advice.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

namespace keygate::config {
namespace {

// Ends the parse from inside the library's callbacks; caught in read_yaml.
struct Refusal {
  YAML::Mark mark;
  std::string path;
  std::string message;
  std::string hint;
};

struct Frame {
  std::shared_ptr<YamlNode> node;
  YAML::anchor_t anchor = 0;
  std::map<std::string, int> keys;  // and the line of each
  std::optional<YamlEntry> key;     // read, and its value not yet
  bool key_is_twin = false;         // then the value is read and let go
};

bool is_known_tag(const std::string& tag, YamlNode::Kind kind) {
  if (tag.empty() || tag == "?" || tag == "!") return true;
  if (kind == YamlNode::Kind::scalar) return tag == "tag:yaml.org,2002:str";
  if (kind == YamlNode::Kind::list) return tag == "tag:yaml.org,2002:seq";
  return kind == YamlNode::Kind::map && tag == "tag:yaml.org,2002:map";
}

// Builds the tree from parse events rather than from the library's own nodes, which have already lost duplicate keys
// and which depth and size could be checked on only after the harm.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::shared_ptr<const std::string> file) : file_(std::move(file)) {}

  YamlNodePtr root() const { return root_; }
  Problems take_problems() { return std::move(problems_); }
  const YAML::Mark& last_scalar() const { return last_scalar_; }

  void complain(Refusal refusal) {
    if (problems_.size() >= max_yaml_problems) return;
    const bool known = !refusal.mark.is_null();
    const Position where{file_, known ? refusal.mark.line + 1 : 1, known ? refusal.mark.column + 1 : 1};
    problems_.push_back(
        {Severity::error, where, std::move(refusal.path), std::move(refusal.message), std::move(refusal.hint)});
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0)
      throw Refusal{mark, "", "a second document begins here", "one file holds one document; check the indentation"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    require_no_key(mark);
    finish(make(mark, YamlNode::Kind::null), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    require_no_key(mark);
    const auto named = anchors_.find(anchor);
    if (named == anchors_.end()) throw Refusal{mark, value_path(), "an alias stands inside what it names", ""};
    count(mark, named->second->size);
    attach(named->second);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag, YamlNode::Kind::scalar);
    last_scalar_ = mark;
    const auto node = make(mark, YamlNode::Kind::scalar);
    node->text = value;
    node->is_plain = tag == "?";
    if (!expects_key()) return finish(node, anchor);
    if (anchor != 0) anchors_[anchor] = node;
    begin_entry(mark, *node);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::list);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  std::shared_ptr<YamlNode> make(const YAML::Mark& mark, YamlNode::Kind kind) {
    count(mark, 1);
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->line = mark.line + 1;
    node->column = mark.column + 1;
    return node;
  }

  void count(const YAML::Mark& mark, std::size_t more) {
    nodes_ += more;
    if (nodes_ <= max_yaml_nodes) return;
    throw Refusal{mark, value_path(), "there are more than 2000000 values", "an alias counts as all that it names"};
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
    require_no_key(mark);
    if (frames_.size() >= max_yaml_depth) throw Refusal{mark, "", "lists and maps are nested more than 64 deep", ""};
    check_tag(mark, tag, kind);
    Frame frame;
    frame.node = make(mark, kind);
    frame.anchor = anchor;
    frames_.push_back(std::move(frame));
  }

  void close() {
    const auto node = frames_.back().node;
    const auto anchor = frames_.back().anchor;
    frames_.pop_back();
    finish(node, anchor);
  }

  void finish(const std::shared_ptr<YamlNode>& node, YAML::anchor_t anchor) {
    for (const auto& item : node->items) node->size += item->size;
    for (const auto& entry : node->entries) node->size += entry.value->size;
    if (anchor != 0) anchors_[anchor] = node;
    attach(node);
  }

  void attach(const YamlNodePtr& node) {
    if (frames_.empty()) {
      root_ = node;
      return;
    }
    auto& frame = frames_.back();
    if (frame.node->kind == YamlNode::Kind::list) {
      frame.node->items.push_back(node);
      return;
    }
    frame.key->value = node;
    if (!frame.key_is_twin) frame.node->entries.push_back(std::move(*frame.key));
    frame.key.reset();
  }

  bool expects_key() const {
    return !frames_.empty() && frames_.back().node->kind == YamlNode::Kind::map && !frames_.back().key;
  }

  // Unquoted template braces ({{ name }}) are read as a map that is a key, so this is met more often than one thinks.
  void require_no_key(const YAML::Mark& mark) const {
    if (!expects_key()) return;
    throw Refusal{mark, collection_path(), "a key must be a word",
                  "quote text that begins with { or [, and close every bracket"};
  }

  void begin_entry(const YAML::Mark& mark, const YamlNode& key) {
    auto& frame = frames_.back();
    const auto [first, is_new] = frame.keys.emplace(key.text, key.line);
    frame.key_is_twin = !is_new;
    if (frame.key_is_twin) {
      complain({mark, collection_path(), "duplicate key " + quoted(key.text),
                "it already stands on line " + std::to_string(first->second)});
    }
    frame.key = YamlEntry{key.text, key.line, key.column, nullptr};
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag, YamlNode::Kind kind) {
    if (is_known_tag(tag, kind)) return;
    complain({mark, expects_key() ? collection_path() : value_path(), "unknown tag " + quoted(tag), "leave it out"});
  }

  // Of the list or map being read.
  std::string collection_path() const { return path_through(frames_.empty() ? 0 : frames_.size() - 1); }
  // Of the value that comes next in it.
  std::string value_path() const { return path_through(frames_.size()); }

  std::string path_through(std::size_t depth) const {
    std::string path;
    for (std::size_t i = 0; i < depth; ++i) {
      const auto& frame = frames_[i];
      if (frame.node->kind == YamlNode::Kind::list) {
        path = path_to_item(path, frame.node->items.size());
      } else if (frame.key) {
        path = path_to_key(path, frame.key->key);
      }
    }
    return path;
  }

  std::shared_ptr<const std::string> file_;
  Problems problems_;
  YamlNodePtr root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, YamlNodePtr> anchors_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
  YAML::Mark last_scalar_ = YAML::Mark::null_mark();
};

// In a text that ends within an escape the library reads on beyond the end, and quotes what it finds there.
Refusal refusal_of(const YAML::Exception& fault, std::string_view text) {
  YamlStop stop{fault.mark.line, fault.mark.column, fault.msg};
  const auto last_line = static_cast<int>(text.substr(text.rfind('\n') + 1).size());
  if (stop.line == std::count(text.begin(), text.end(), '\n')) stop.column = std::min(stop.column, last_line);
  YamlAdvice advice = advice_on(text, stop);
  for (char& c : advice.message) c = c < 0x20 || c > 0x7E ? '?' : c;
  Refusal refusal{fault.mark, "", std::move(advice.message), std::move(advice.hint)};
  refusal.mark.line = advice.line;
  refusal.mark.column = advice.column;
  return refusal;
}

YamlDocument refused(const std::shared_ptr<const std::string>& file, int line, int column, std::string message) {
  return {nullptr, {{Severity::error, {file, line, column}, "", std::move(message), ""}}};
}

// The builder's tree if the whole text could be parsed; otherwise null, with what stopped it among the problems.
YamlNodePtr parse(std::string_view text, TreeBuilder& builder) {
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    const auto last = builder.last_scalar();
    if (!last.is_null() && is_never_closed(text.substr(static_cast<std::size_t>(last.pos)))) {
      throw Refusal{last, "", "a quote is opened here and never closed", ""};
    }
    return builder.root();
  } catch (Refusal& refusal) {
    builder.complain(std::move(refusal));
  } catch (const YAML::Exception& fault) {
    builder.complain(refusal_of(fault, text));
  }
  return nullptr;
}

}  // namespace

YamlDocument read_yaml(std::string_view text, const std::shared_ptr<const std::string>& file) {
  if (text.size() > max_source_bytes) return refused(file, 0, 0, "the file is larger than 16MiB");
  if (const auto flaw = byte_flaw(text)) return refused(file, flaw->line, flaw->column, flaw->message);
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.substr(0, byte_order_mark.size()) == byte_order_mark) text.remove_prefix(byte_order_mark.size());
  TreeBuilder builder(file);
  auto root = parse(text, builder);
  auto problems = builder.take_problems();
  if (problems.empty() && (!root || root->kind == YamlNode::Kind::null))
    return refused(file, 1, 1, "the file is empty");
  return {std::move(root), std::move(problems)};
}

std::string path_to_key(const std::string& parent, const std::string& key) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  if (key.empty() || !std::all_of(key.begin(), key.end(), is_word)) return parent + "[" + quoted(key) + "]";
  return parent.empty() ? key : parent + "." + key;
}

std::string path_to_item(const std::string& parent, std::size_t index) {
  return parent + "[" + std::to_string(index) + "]";
}

}  // namespace keygate::config
