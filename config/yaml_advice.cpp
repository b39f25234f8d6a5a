#include "config/yaml_advice.hpp"

#include <algorithm>
#include <optional>

namespace keygate::config {
namespace {

std::string_view line_in(std::string_view text, int number) {
  std::size_t at = 0;
  for (int line = 0; line < number; ++line) {
    const auto end = text.find('\n', at);
    if (end == text.npos) return {};
    at = end + 1;
  }
  const auto line = text.substr(at, text.find('\n', at) - at);
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

std::size_t indent_in(std::string_view line) { return std::min(line.find_first_not_of(" \t"), line.size()); }

// The last line before that one with anything on it but a comment; none: -1.
int line_above(std::string_view text, int number) {
  while (number-- > 0) {
    const auto line = line_in(text, number);
    const auto indent = indent_in(line);
    if (indent < line.size() && line[indent] != '#') return number;
  }
  return -1;
}

// "  - path: /x": its first key begins in column 4.
std::size_t key_column(std::string_view line) {
  auto column = indent_in(line);
  while (line.substr(column).starts_with("- ")) column += 2 + indent_in(line.substr(column + 2));
  return column;
}

// Behind the first colon that ends a key; npos: none does.
std::size_t behind_key(std::string_view line) {
  for (auto colon = line.find(':'); colon != line.npos; colon = line.find(':', colon + 1)) {
    if (colon + 1 == line.size() || line[colon + 1] == ' ') return colon + 1;
  }
  return line.npos;
}

bool has_value(std::string_view line) {
  const auto behind = behind_key(line);
  return behind != line.npos && line.find_first_not_of(' ', behind) != line.npos;
}

char char_at(std::string_view line, int column) {
  return column >= 0 && static_cast<std::size_t>(column) < line.size() ? line[static_cast<std::size_t>(column)] : '\0';
}

std::string column_of(std::size_t column) { return "column " + std::to_string(column + 1); }

// Past the anchor and the tag that may stand before a scalar.
std::string_view without_properties(std::string_view text) {
  while (!text.empty() && (text.front() == '&' || text.front() == '!')) {
    text.remove_prefix(std::min(text.find_first_of(" \t\r\n"), text.size()));
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  }
  return text;
}

// A text that has to be quoted, as it begins with what means something to YAML.
std::optional<YamlAdvice> unquoted(std::string_view line, const YamlStop& stop) {
  const char here = char_at(line, stop.column), before = char_at(line, stop.column - 1);
  const int moved = here != '*' && before == '*' ? 1 : 0;
  if (here == '*' || moved == 1) {
    return YamlAdvice{stop.line, stop.column - moved, "text that begins with * is an alias to YAML",
                      "quote it: \"*.example.com\""};
  }
  if (here == '@' || here == '`' || here == '%') {
    return YamlAdvice{stop.line, stop.column, std::string("no text begins with ") + here, "put it in quotes"};
  }
  if (here == '{' && before != ' ' && before != '\0') {
    return YamlAdvice{stop.line, stop.column, "a brace stands within text that is in brackets itself",
                      "quote it, as in {path: \"/v1/{id}\"}"};
  }
  if (before == '"' || before == '\'') {
    return YamlAdvice{stop.line, stop.column, "a quoted text ends before this",
                      "within quotes, write '' for ' and \\\" for \""};
  }
  return std::nullopt;
}

std::optional<YamlAdvice> misplaced(std::string_view text, std::string_view line, const YamlStop& stop) {
  const int number = line_above(text, stop.line);
  if (number < 0) return std::nullopt;
  const auto above = line_in(text, number);
  const auto here = key_column(line), there = key_column(above);
  const int column = static_cast<int>(here);
  if (here > there && has_value(above)) {
    return YamlAdvice{stop.line, column,
                      "this line begins in " + column_of(here) + " and the one above in " + column_of(there),
                      "keys of one map begin in the same column"};
  }
  if (behind_key(above) == above.npos && here == there) {
    return YamlAdvice{number, column, "there is no colon with a blank behind it on this line", "write KEY: VALUE"};
  }
  if (here < there && here > 0) {
    return YamlAdvice{stop.line, column, "this line begins in " + column_of(here) + ", where no map around it begins",
                      "keys of one map begin in the same column"};
  }
  return std::nullopt;
}

}  // namespace

bool is_never_closed(std::string_view scalar) {
  scalar = without_properties(scalar);
  if (scalar.empty() || (scalar[0] != '"' && scalar[0] != '\'')) return false;
  const char quote = scalar[0];
  for (std::size_t i = 1; i < scalar.size(); ++i) {
    if (quote == '"' && scalar[i] == '\\') {
      ++i;
    } else if (scalar[i] == quote) {
      if (quote == '"' || i + 1 == scalar.size() || scalar[i + 1] != quote) return false;
      ++i;
    }
  }
  return true;
}

YamlAdvice advice_on(std::string_view text, const YamlStop& stop) {
  const YamlAdvice none{stop.line, stop.column, "this is not YAML: " + stop.message,
                        "check indentation, quotes and brackets"};
  if (stop.line < 0) return none;
  const auto line = line_in(text, stop.line);
  const auto indent = line.substr(0, indent_in(line));
  if (const auto tab = indent.find('\t'); tab != indent.npos) {
    return {stop.line, static_cast<int>(tab), "a tab indents this line", "YAML is indented with blanks alone"};
  }
  if (auto advice = unquoted(line, stop)) return *std::move(advice);
  const bool is_value = stop.message == "illegal map value";
  if (is_value && behind_key(line) < static_cast<std::size_t>(stop.column)) {
    return {stop.line, stop.column, "a second colon with a blank behind it stands on this line",
            "quote text that has one in it"};
  }
  if (is_value || stop.message.starts_with("end of map not") || stop.message.starts_with("end of sequence not")) {
    const bool is_flow = stop.message.find("flow") != std::string::npos;
    if (auto advice = misplaced(text, line, stop); advice && !is_flow) return *std::move(advice);
  }
  return none;
}

}  // namespace keygate::config
