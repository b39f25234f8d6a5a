#include "config/line_parts.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace keygate::config {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

class LineScan {
 public:
  LineScan(std::string_view line, std::vector<std::string> above, LineState begin)
      : line_(line), keys_(std::move(above)), brackets_(begin.brackets), quote_(begin.quote) {
    if (!is_flow()) at_ = indent_of(line).content;
  }

  LineParts scan() {
    parts_.comment = line_.size();
    if (quote_ != '\0') at_ = end_of_quote(0);
    while (step()) {
    }
    parts_.open_keys = keys_;
    if (key_) parts_.open_keys.push_back(*key_);
    parts_.opens = is_flow() || (key_ && !has_value_);
    parts_.end = {brackets_.size(), quote_};
    return std::move(parts_);
  }

 private:
  struct Bracket {
    bool has_key = false;  // that is on keys_ for as long as this is open
  };

  char peek(std::size_t ahead) const { return at_ + ahead < line_.size() ? line_[at_ + ahead] : '\0'; }
  bool is_flow() const { return !brackets_.empty(); }

  // False: the line is over.
  bool step() {
    while (at_ < line_.size() && is_space(line_[at_])) ++at_;
    if (at_ >= line_.size()) return false;
    const char c = line_[at_];
    if (c == '#' && (at_ == 0 || is_space(line_[at_ - 1]))) {
      parts_.comment = at_;
      return false;
    }
    if (c == '{' || c == '[') {
      open();
    } else if (is_flow() && (c == '}' || c == ']')) {
      close();
    } else if (is_flow() && c == ',') {
      key_.reset();
      ++at_;
    } else {
      take_scalar();
    }
    return true;
  }

  void open() {
    brackets_.push_back({key_.has_value()});
    if (key_) keys_.push_back(std::move(*key_));
    key_.reset();
    has_value_ = false;
    ++at_;
  }

  void close() {
    if (brackets_.back().has_key) keys_.pop_back();
    brackets_.pop_back();
    key_.reset();
    ++at_;
  }

  void take_scalar() {
    const std::size_t begin = at_;
    const bool is_quoted = line_[at_] == '"' || line_[at_] == '\'';
    if (is_quoted) quote_ = line_[at_];
    const std::size_t end = is_quoted ? end_of_quote(at_ + 1) : plain_end();
    const bool is_unclosed = quote_ != '\0';
    at_ = end;
    while (at_ < line_.size() && is_space(line_[at_])) ++at_;
    if (is_unclosed) at_ = line_.size();
    const bool is_key = peek(0) == ':' && (is_quoted || ends_key(1));
    std::string_view text = line_.substr(begin, end - begin);
    if (is_key) {
      ++at_;
      parts_.keys.push_back({begin, text, keys_, false});
      if (is_quoted && text.size() >= 2) text = text.substr(1, text.size() - 2);
      key_ = std::string(text);
      has_value_ = false;
      return;
    }
    auto keys = keys_;
    if (key_) keys.push_back(*key_);
    has_value_ = true;
    parts_.values.push_back({begin, text, std::move(keys), is_unclosed});
  }

  bool ends_key(std::size_t ahead) const {
    const char c = peek(ahead);
    return c == '\0' || is_space(c) || (is_flow() && std::string_view(",[]{}").find(c) != std::string_view::npos);
  }

  // Behind the quote that closes the open one, which then is none any more; the line's end where none does.
  std::size_t end_of_quote(std::size_t from) {
    for (std::size_t i = from; i < line_.size(); ++i) {
      if (quote_ == '"' && line_[i] == '\\') {
        ++i;
      } else if (line_[i] == quote_) {
        const bool is_doubled = quote_ == '\'' && i + 1 < line_.size() && line_[i + 1] == quote_;
        if (!is_doubled) {
          quote_ = '\0';
          return i + 1;
        }
        ++i;
      }
    }
    return line_.size();
  }

  // At least one byte further, so that a scan comes to its end.
  std::size_t plain_end() {
    const std::size_t begin = at_;
    for (; at_ < line_.size(); ++at_) {
      const char c = line_[at_];
      if (at_ > begin && c == '#' && is_space(line_[at_ - 1])) break;
      if (at_ > begin && c == ':' && ends_key(1)) break;
      if (at_ > begin && is_flow() && std::string_view(",[]{}").find(c) != std::string_view::npos) break;
    }
    std::size_t end = at_;
    while (end > begin + 1 && is_space(line_[end - 1])) --end;
    return end;
  }

  std::string_view line_;
  std::size_t at_ = 0;
  std::vector<std::string> keys_;  // of what is open around
  std::optional<std::string> key_;
  bool has_value_ = false;
  std::vector<Bracket> brackets_;
  char quote_ = '\0';
  LineParts parts_;
};

}  // namespace

Indent indent_of(std::string_view line) {
  Indent indent;
  std::size_t at = 0;
  while (at < line.size() && is_space(line[at])) ++at;
  indent.dash = at;
  while (at < line.size() && line[at] == '-' && (at + 1 == line.size() || is_space(line[at + 1]))) {
    indent.has_dash = true;
    ++at;
    while (at < line.size() && is_space(line[at])) ++at;
  }
  indent.content = at;
  indent.is_blank = at == line.size() ? !indent.has_dash : line[at] == '#' && !indent.has_dash;
  return indent;
}

LineParts parts_of(std::string_view line, std::vector<std::string> above, LineState begin) {
  return LineScan(line, std::move(above), begin).scan();
}

}  // namespace keygate::config
