#include "config/marked_line.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace keygate::config {
namespace {

constexpr std::size_t widest = 100;  // of the part that is shown, in columns of a terminal
constexpr std::size_t tab_stop = 4;

// One character of the line as it is shown.
struct Cell {
  std::string text;
  std::size_t width = 1;
  std::size_t end = 0;  // the byte of the line behind it
};

struct Character {
  char32_t code = 0;
  std::size_t size = 0;
};

// The text is known to be UTF-8: whoever read the file refused it otherwise. nullopt where it has changed since.
std::optional<Character> character_at(std::string_view text) {
  const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  const std::size_t size = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first >= 0x80 && (first < 0xC2 || first > 0xF4)) return std::nullopt;
  char32_t code = size == 1 ? first : first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return std::nullopt;
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  return Character{code, size};
}

using Range = std::pair<char32_t, char32_t>;

template <std::size_t size>
bool is_in(char32_t code, const std::array<Range, size>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [code](const Range& range) { return code >= range.first && code <= range.second; });
}

// What turns the direction of text, or cannot be seen: a line must not be shown as another than it is (CVE-2021-42574).
bool is_unseen(char32_t code) {
  constexpr std::array<Range, 6> unseen{
      {{0x80, 0x9F}, {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x2069}, {0xFEFF, 0xFEFF}, {0xE0000, 0xE007F}}};
  return is_in(code, unseen);
}

// Of a character in a terminal: the ranges that matter, rather than the whole of Unicode's tables.
std::size_t width_of(char32_t code) {
  constexpr std::array<Range, 3> marks{{{0x300, 0x36F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};
  constexpr std::array<Range, 8> wide{{{0x1100, 0x115F},
                                       {0x2E80, 0xA4CF},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFE30, 0xFE6F},
                                       {0xFF00, 0xFF60},
                                       {0x1F300, 0x1FAFF},
                                       {0x20000, 0x3FFFD}}};
  if (is_in(code, marks)) return 0;
  return is_in(code, wide) ? 2 : 1;
}

// nullopt: a control character or a byte that is no text stands in it.
std::optional<std::vector<Cell>> cells_of(std::string_view line, const std::vector<Span>& hidden) {
  std::vector<Cell> cells;
  auto next = hidden.begin();
  std::size_t column = 0;
  for (std::size_t at = 0; at < line.size();) {
    if (next != hidden.end() && next->begin == at) {
      if (line[at] == '#') break;  // a comment
      at = std::max(next->end, at + 1);
      for (int i = 0; i < 3; ++i) cells.push_back({"*", 1, at});
      column += 3;
      ++next;
      continue;
    }
    const auto character = character_at(line.substr(at));
    if (!character) return std::nullopt;
    Cell cell{std::string(line.substr(at, character->size)), width_of(character->code), at + character->size};
    if (character->code == '\t') {
      cell.width = tab_stop - column % tab_stop;
      cell.text.assign(cell.width, ' ');
    } else if (character->code < 0x20 || character->code == 0x7F) {
      return std::nullopt;
    } else if (is_unseen(character->code)) {
      cell.text.assign(1, '?');  // gcc 12 is wrongly alarmed by an assigned "?"
      cell.width = 1;
    }
    column += cell.width;
    at = cell.end;
    cells.push_back(std::move(cell));
  }
  return cells;
}

// The byte behind the word or the quoted text that begins at `start`.
std::size_t word_end(std::string_view line, std::size_t start) {
  if (start >= line.size()) return start + 1;
  const char first = line[start];
  if (first == '"' || first == '\'') {
    const auto close = line.find(first, start + 1);
    return close == line.npos ? line.size() : close + 1;
  }
  if (std::string_view("{}[],:&*|>").find(first) != std::string_view::npos) return start + 1;
  auto end = start;
  int braces = 0;  // of {parameters} in a path
  for (; end < line.size() && line[end] != ' ' && line[end] != '\t'; ++end) {
    const char c = line[end];
    if (c == '{') ++braces;
    if (c == ',' || c == ']' || (c == '}' && --braces < 0)) break;
    if (c == ':' && (end + 1 == line.size() || line[end + 1] == ' ')) break;
  }
  return std::max(end, start + 1);
}

std::size_t width_of(const std::vector<Cell>& cells, std::size_t from, std::size_t to) {
  std::size_t width = 0;
  for (std::size_t i = from; i < to; ++i) width += cells[i].width;
  return width;
}

// From which cell up to which the line is shown, so that the mark is in it.
std::pair<std::size_t, std::size_t> window_around(const std::vector<Cell>& cells, std::size_t mark) {
  std::size_t from = 0, to = cells.size();
  if (width_of(cells, 0, to) <= widest) return {from, to};
  while (width_of(cells, from, mark) > widest / 2) ++from;
  while (to > mark + 1 && width_of(cells, from, to) > widest) --to;
  return {from, to};
}

}  // namespace

std::string marked_line(std::string_view line, int number, int column, const std::vector<Span>& hidden) {
  constexpr std::size_t longest = 100'000;  // bytes; such a line is no help
  if (line.size() > longest) return {};
  const auto cells = cells_of(line, hidden);
  if (!cells) return {};
  const std::size_t start = column < 1 ? 0 : static_cast<std::size_t>(column) - 1;
  const std::size_t end = word_end(line, start);
  std::size_t mark = 0;
  while (mark < cells->size() && (*cells)[mark].end <= start) ++mark;
  std::size_t after = mark;
  while (after < cells->size() && (after == mark || (*cells)[after - 1].end < end)) ++after;
  // A hidden part has the same end three times.
  while (after < cells->size() && after > 0 && (*cells)[after].end == (*cells)[after - 1].end) ++after;

  const auto [from, to] = window_around(*cells, mark);
  const std::string digits = std::to_string(number);
  const std::size_t margin = std::max<std::size_t>(digits.size(), 5);
  std::string text;
  text.append(margin - digits.size(), ' ').append(digits).append(" | ").append(from > 0 ? "..." : "");
  for (std::size_t i = from; i < to; ++i) text += (*cells)[i].text;
  while (text.ends_with(' ')) text.pop_back();
  text += to < cells->size() ? "...\n" : "\n";
  text.append(margin, ' ').append(" | ").append(from > 0 ? "   " : "");
  text.append(width_of(*cells, from, mark), ' ').append("^");
  const std::size_t width = width_of(*cells, mark, std::min(after, std::max(to, mark)));
  return text.append(width > 1 ? width - 1 : 0, '~') + "\n";
}

}  // namespace keygate::config
