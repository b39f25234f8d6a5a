#include "app/explain_paper.hpp"

#include <algorithm>
#include <ostream>
#include <utility>

namespace keygate::app {
namespace {

constexpr std::size_t name_width = 14;

std::string padded(const std::string& text, std::size_t width) {
  const std::size_t shown = shown_width(text);
  return shown < width ? text + std::string(width - shown, ' ') : text;
}

}  // namespace

std::size_t shown_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = std::min(text.find('m', i), text.size());
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++width;
    }
  }
  return width;
}

std::string harmless(std::string_view text) {
  std::string result(text);
  std::ranges::replace_if(
      result, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return result;
}

std::string Paper::in(const char* code, const std::string& text) const {
  if (!has_colour_ || text.empty()) return text;
  return std::string("\x1b[") + code + 'm' + text + "\x1b[0m";
}

void Paper::line(std::string text) {
  text.resize(text.find_last_not_of(' ') + 1);
  out_ << text << '\n';
}

void Paper::field(std::string_view name, const std::string& text) {
  line(strong(padded(std::string(name), name_width)) + text);
}

void Paper::table(const Table& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], shown_width(row[i]));
  }
  for (const auto& row : rows) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths[i] > 0) text += "  " + padded(row[i], widths[i]);
    }
    line(std::move(text));
  }
}

}  // namespace keygate::app
