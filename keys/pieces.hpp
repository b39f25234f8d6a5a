// Walks the pieces of a query or a Cookie value, between separators; allocates nothing. An empty text is one empty
// piece.
#pragma once

#include <string_view>

namespace keygate::keys {

class Pieces {
 public:
  Pieces(std::string_view text, std::string_view separators) : rest_(text), separators_(separators) {}

  // Goes to the next piece; false: there is none.
  bool next() {
    if (is_over_) return false;
    separator_ = next_separator_;
    const std::size_t end = rest_.find_first_of(separators_);
    piece_ = rest_.substr(0, end);
    is_over_ = end == std::string_view::npos;
    if (!is_over_) {
      next_separator_ = rest_.substr(end, 1);
      rest_.remove_prefix(end + 1);
    }
    return true;
  }

  std::string_view piece() const { return piece_; }
  std::string_view separator() const { return separator_; }  // the one before the piece; empty before the first

 private:
  std::string_view rest_;
  std::string_view separators_;
  std::string_view piece_, separator_, next_separator_;
  bool is_over_ = false;
};

// What is before the first '=', or all of it.
inline std::string_view name_of(std::string_view piece) { return piece.substr(0, piece.find('=')); }

// What is behind the first '='; empty where there is none.
inline std::string_view value_of(std::string_view piece) {
  const std::size_t equals = piece.find('=');
  return equals == std::string_view::npos ? std::string_view{} : piece.substr(equals + 1);
}

}  // namespace keygate::keys
