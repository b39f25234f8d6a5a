// What stands on one line of YAML: keys, values, a comment. A guess that needs no sound text around it; for showing
// lines, never for reading a configuration.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::config {

// How far in a line begins, in bytes.
struct Indent {
  std::size_t dash = 0;     // of its first dash, or of its content
  std::size_t content = 0;  // behind its dashes
  bool has_dash = false;
  bool is_blank = false;  // nothing, or a comment alone
};

Indent indent_of(std::string_view line);

// A value, or a key.
struct LineValue {
  std::size_t begin = 0;          // byte of the line
  std::string_view text;          // with its quotes
  std::vector<std::string> keys;  // that it stands under, the innermost last
  bool is_unclosed = false;       // a quote that does not end here
};

// What a line begins in, and leaves to the next.
struct LineState {
  std::size_t brackets = 0;  // of lists and maps that are open
  char quote = '\0';         // of a text that is
  bool operator==(const LineState&) const = default;
};

struct LineParts {
  std::vector<LineValue> values;
  std::vector<LineValue> keys;
  std::size_t comment = 0;             // where it begins; the line's size: none
  std::vector<std::string> open_keys;  // what lines further in stand under
  bool opens = false;                  // it ends in a key without a value, or within brackets
  LineState end;
};

// `above`: the keys that the line stands under.
LineParts parts_of(std::string_view line, std::vector<std::string> above, LineState begin = {});

}  // namespace keygate::config
