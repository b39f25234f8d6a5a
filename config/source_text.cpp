#include "config/source_text.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace keygate::config {
namespace {

// The length of the well-formed UTF-8 sequence at the front (Unicode 15, table 3-7); 0: there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [text](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto continues = [&byte](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const auto first = byte(0);
  if (first < 0x80u) return 1;
  if (first >= 0xC2u && first <= 0xDFu) return continues(1) ? 2 : 0;
  if (first >= 0xE0u && first <= 0xEFu) {
    if (first == 0xE0u && byte(1) < 0xA0u) return 0;
    if (first == 0xEDu && byte(1) > 0x9Fu) return 0;
    return continues(1) && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0u && first <= 0xF4u) {
    if (first == 0xF0u && byte(1) < 0x90u) return 0;
    if (first == 0xF4u && byte(1) > 0x8Fu) return 0;
    return continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

bool is_stray_control(std::string_view rest) {
  const char c = rest.front();
  if (c == '\t' || c == '\n') return false;
  if (c == '\r') return rest.size() < 2 || rest[1] != '\n';
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

Parsed<std::string> read_source(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return Fault{"cannot be read: it is a directory", ""};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Fault{std::string("cannot be read: ") + std::strerror(errno == 0 ? EIO : errno), ""};
  // Piece by piece: the bound is far above what files really are, and its memory would stay with the process.
  std::string text;
  std::array<char, 64 * 1024> piece;
  while (text.size() <= max_source_bytes && file) {
    file.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return Fault{"cannot be read to its end", ""};
  return text;
}

std::optional<ByteFlaw> byte_flaw(std::string_view text) {
  int line = 1;
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto rest = text.substr(i);
    const auto length = sequence_length(rest);
    const auto column = static_cast<int>(i - line_start + 1);
    if (length == 0) return ByteFlaw{line, column, "the text is not valid UTF-8"};
    if (is_stray_control(rest)) return ByteFlaw{line, column, "a control character stands here"};
    i += length;
    if (rest.front() == '\n') {
      ++line;
      line_start = i;
    }
  }
  return std::nullopt;
}

}  // namespace keygate::config
