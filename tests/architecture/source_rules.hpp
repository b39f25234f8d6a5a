// What may a source file of Keygate include and call, by the folder it lives in? Called by the test that walks the
// tree, and by the tests of the rules themselves. Pure: text in, violations out. docs/architecture.md has the reasons.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::architecture {

struct Violation {
  std::size_t line;  // from 1
  std::string rule;

  friend bool operator==(const Violation&, const Violation&) = default;
};

// `path` is relative to the repository: "policy/decide.cpp". Sorted by line.
std::vector<Violation> violations(std::string_view path, std::string_view text);

// The text with comments and the insides of literals turned into spaces; lines and columns stay where they were.
std::string code_only(std::string_view text);

}  // namespace keygate::architecture
