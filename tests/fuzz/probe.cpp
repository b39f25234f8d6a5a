#include "tests/fuzz/probe.hpp"

#include <cstdio>

namespace keygate::fuzz {

std::string quoted(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
      result += c;
    } else {
      result += "\\x";
      result += digits[byte >> 4];
      result += digits[byte & 0xF];
    }
  }
  return result + '"';
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  while (true) {
    const auto end = text.find(separator);
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

void broken(std::string_view promise, const std::string& how) {
  const std::string line = "broken promise: " + std::string(promise) + (how.empty() ? "" : ": " + how) + "\n";
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  __builtin_trap();
}

}  // namespace keygate::fuzz
