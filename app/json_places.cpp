#include "app/json_places.hpp"

#include "config/fault.hpp"
#include "keys/strict_json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/stream_parser.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace keygate::app {
namespace {

namespace json = boost::json;
using config::YamlNode;

constexpr std::string_view blanks = " \t\r\n";

// Walks text that is known to be JSON, and so need not look twice at any byte. Depth is bounded by whoever knew.
class Walk {
 public:
  Walk(std::string_view text, const std::shared_ptr<const std::string>& file) : text_(text), file_(file) {}

  std::shared_ptr<YamlNode> value() {
    skip_blanks();
    auto node = std::make_shared<YamlNode>();
    node->line = line_;
    node->column = column(at_);
    switch (text_[at_]) {
      case '{':
        read_map(*node);
        break;
      case '[':
        read_list(*node);
        break;
      case '"':
        node->kind = YamlNode::Kind::scalar;
        node->is_plain = false;
        node->text = string();
        break;
      default:
        read_word(*node);
    }
    return node;
  }

  const std::optional<config::Problem>& twin() const { return twin_; }

 private:
  int column(std::size_t at) const { return static_cast<int>(at - line_begin_) + 1; }

  void skip_blanks() {
    for (; blanks.find(text_[at_]) != blanks.npos; ++at_) {
      if (text_[at_] != '\n') continue;
      ++line_;
      line_begin_ = at_ + 1;
    }
  }

  // Whether the list or map ends here; else past the comma before its next part.
  bool has_ended(char end) {
    skip_blanks();
    if (text_[at_] == ',') {
      ++at_;
      skip_blanks();
    }
    if (text_[at_] != end) return false;
    ++at_;
    return true;
  }

  void read_map(YamlNode& node) {
    node.kind = YamlNode::Kind::map;
    std::map<std::string, int> lines;
    for (++at_; !has_ended('}');) {
      config::YamlEntry entry{"", line_, column(at_), nullptr};
      entry.key = string();
      const auto [first, is_new] = lines.emplace(entry.key, line_);
      if (!is_new && !twin_) {
        twin_ = config::Problem{config::Severity::error,
                                {file_, entry.line, entry.column},
                                "",
                                "duplicate key " + config::quoted(entry.key),
                                "it already stands on line " + std::to_string(first->second)};
      }
      skip_blanks();
      ++at_;  // the colon
      entry.value = value();
      node.entries.push_back(std::move(entry));
    }
  }

  void read_list(YamlNode& node) {
    node.kind = YamlNode::Kind::list;
    for (++at_; !has_ended(']');) node.items.push_back(value());
  }

  std::string string() {
    const std::size_t begin = at_++;
    bool is_escaped = false;
    for (; text_[at_] != '"'; ++at_) {
      if (text_[at_] != '\\') continue;
      is_escaped = true;
      ++at_;
    }
    ++at_;
    const std::string_view whole = text_.substr(begin, at_ - begin);
    if (!is_escaped) return std::string(whole.substr(1, whole.size() - 2));
    const json::value decoded = json::parse(json::string_view(whole.data(), whole.size()));
    return std::string(decoded.get_string());
  }

  void read_word(YamlNode& node) {
    const std::size_t end = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
    node.text = text_.substr(at_, end - at_);
    node.kind = node.text == "null" ? YamlNode::Kind::null : YamlNode::Kind::scalar;
    at_ = end;
  }

  std::string_view text_;
  std::shared_ptr<const std::string> file_;
  std::size_t at_ = 0, line_begin_ = 0;
  int line_ = 1;
  std::optional<config::Problem> twin_;
};

config::Problem problem_at(std::string_view text, std::size_t at, const std::shared_ptr<const std::string>& file,
                           std::string message) {
  const std::string_view before = text.substr(0, std::min(at, text.size()));
  const auto line = static_cast<int>(std::ranges::count(before, '\n')) + 1;
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return {config::Severity::error,
          {file, line, static_cast<int>(before.size() - line_begin) + 1},
          "",
          std::move(message),
          ""};
}

}  // namespace

std::variant<config::YamlNodePtr, config::Problem> read_json_places(std::string_view text,
                                                                    const std::shared_ptr<const std::string>& file) {
  const bool is_strict = keys::parse_strict_json(text, config::max_yaml_depth).has_value();
  if (!is_strict) {
    json::parse_options options;
    options.max_depth = config::max_yaml_depth;
    json::stream_parser parser({}, options);
    boost::system::error_code error;
    const std::size_t taken = parser.write(text.data(), text.size(), error);
    if (!error) parser.finish(error);
    if (error) return problem_at(text, taken, file, "this is not JSON: " + error.message());
  }
  Walk walk(text, file);
  auto root = walk.value();
  if (walk.twin()) return *walk.twin();
  if (!is_strict) return problem_at(text, 0, file, "this is not JSON that every program reads alike");
  return config::YamlNodePtr(std::move(root));
}

}  // namespace keygate::app
