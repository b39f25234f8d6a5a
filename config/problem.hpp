// What is wrong with a configuration, and where: the one form in which faults in YAML reach a person.
// Every reader and compiler returns all of its problems; nothing about a file is thrown.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace keygate::config {

// A place in a file. Lines and columns count from 1; 0 means that the place is not known. Copies share the file name.
struct Position {
  std::shared_ptr<const std::string> file;
  int line = 0;
  int column = 0;
};

enum class Severity { error, warning };

struct Problem {
  Severity severity = Severity::error;
  Position where;
  std::string path;     // routes[2].match.path
  std::string message;  // unknown key "scope"
  std::string hint;     // did you mean "scopes"? (may be empty)
};

using Problems = std::vector<Problem>;

// "keygate.yaml:14:5: routes[2]: unknown key "scope"; did you mean "scopes"?"; a warning says "warning: " after the
// place. One line, whatever stands in the file: control characters come as "?".
std::string render(const Problem& problem);

// Sorted by file, line and column; equal ones once.
void sort_by_place(Problems& problems);

bool has_errors(const Problems& problems);

// The known word nearest to `word` by edit distance, or an empty string where none is near enough to be a slip.
std::string nearest_word(const std::string& word, const std::vector<std::string>& known);

// A value with the place it was written at, so that a later stage can still name the line.
template <class T>
struct Located {
  T value{};
  Position where;
};

}  // namespace keygate::config
