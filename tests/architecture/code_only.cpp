#include "tests/architecture/source_rules.hpp"

#include <cctype>
#include <string>

namespace keygate::architecture {
namespace {

// Walks the text once; `code` starts as a copy of it, and what is not code is blanked.
class Blanker {
 public:
  explicit Blanker(std::string_view text) : text_(text), code_(text) {}

  std::string result() {
    while (at_ < text_.size()) {
      const auto rest = text_.substr(at_);
      if (rest.starts_with("//")) {
        blank_until(text_.find('\n', at_));
      } else if (rest.starts_with("/*")) {
        blank_until(after(text_.find("*/", at_ + 2), 2));
      } else if (rest.starts_with("R\"") && !follows_word()) {
        blank_raw_string();
      } else if (rest.front() == '"' || (rest.front() == '\'' && !follows_word())) {
        blank_literal(rest.front());
      } else {
        ++at_;
      }
    }
    return std::move(code_);
  }

 private:
  // A quote after a digit separates digits: 100'000. Prefixed characters (u8'x') do not occur here.
  bool follows_word() const {
    return at_ > 0 && (std::isalnum(static_cast<unsigned char>(text_[at_ - 1])) != 0 || text_[at_ - 1] == '_');
  }

  static std::size_t after(std::size_t found, std::size_t length) {
    return found == std::string_view::npos ? found : found + length;
  }

  void blank_until(std::size_t end) {
    end = std::min(end, text_.size());
    for (; at_ < end; ++at_) {
      if (text_[at_] != '\n') code_[at_] = ' ';
    }
  }

  void blank_raw_string() {
    const auto open = text_.find('(', at_);
    if (open == std::string_view::npos) return blank_until(open);
    const auto closing = ")" + std::string(text_.substr(at_ + 2, open - at_ - 2)) + "\"";
    blank_until(after(text_.find(closing, open), closing.size()));
  }

  // Ends at the quote or, where the quote is missing, with the line.
  void blank_literal(char quote) {
    auto end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') end += text_[end] == '\\' ? 2 : 1;
    blank_until(end + 1 <= text_.size() && text_[end] == quote ? end + 1 : end);
  }

  std::string_view text_;
  std::string code_;
  std::size_t at_ = 0;
};

}  // namespace

std::string code_only(std::string_view text) { return Blanker(text).result(); }

}  // namespace keygate::architecture
