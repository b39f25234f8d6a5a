// Lines, fields and tables for a person to read, in colour or without. Used by explain's text.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::app {

using Table = std::vector<std::vector<std::string>>;  // rows of cells; as many in each row

class Paper {
 public:
  Paper(std::ostream& out, bool has_colour) : out_(out), has_colour_(has_colour) {}

  std::string strong(const std::string& text) const { return in("1", text); }
  std::string faint(const std::string& text) const { return in("2", text); }
  std::string good(const std::string& text) const { return in("32", text); }
  std::string bad(const std::string& text) const { return in("31", text); }

  // Without blanks at its end.
  void line(std::string text);
  // A name, and behind it what there is to say.
  void field(std::string_view name, const std::string& text);
  // Cells below each other; a column that is empty in all rows is left out.
  void table(const Table& rows);

 private:
  std::string in(const char* code, const std::string& text) const;

  std::ostream& out_;
  bool has_colour_;
};

// How many places `text` takes on a terminal: escape sequences none, a character of UTF-8 one.
std::size_t shown_width(std::string_view text);

// Text for a terminal: what could command it (control characters of a URL, a header or a file) is shown as '?'.
std::string harmless(std::string_view text);

}  // namespace keygate::app
