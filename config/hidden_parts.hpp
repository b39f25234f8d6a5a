// Which parts of a line of a configuration are nobody's business? Asked before a fault's line is shown on a terminal or
// in a build's log. Works on lines rather than on a tree, as the faulty text may have none. What is not known to be
// harmless is hidden: the value of a key that is not the format's, of one that is called a secret, of a header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::config {

using KeyNames = std::set<std::string, std::less<>>;

// Bytes of a line, from `begin` up to `end`.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const Span&) const = default;
};

// A configuration's text, line by line; it has to outlive this.
class SourceLines {
 public:
  // `known`: the keys of the format.
  SourceLines(std::string_view text, KeyNames known);

  std::size_t size() const { return lines_.size(); }
  std::string_view operator[](std::size_t number) const { return lines_[number]; }  // without its end

  // Of that line, in order, and apart from each other; a comment at its end is one too. nullopt: not a word of the line
  // is to be shown.
  std::optional<std::vector<Span>> hidden_in(std::size_t number) const;

 private:
  enum class Kind : std::uint8_t { block, flow, text };  // what a line begins in; text: quotes, or a | that goes on

  std::optional<std::vector<std::string>> keys_above(std::size_t number) const;

  std::vector<std::string_view> lines_;
  std::vector<Kind> kinds_;
  KeyNames known_;
};

// Whether a value under such a key is a secret itself: "secret", "token", and not "secret_file".
bool names_a_secret(std::string_view key);

// Whether such a value of that key could be one, also where the key is for something else.
bool may_be_a_secret(std::string_view key, std::string_view value);

}  // namespace keygate::config
