#include "tests/fuzz/strict_head.hpp"

#include <algorithm>

namespace keygate::fuzz {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// RFC 9110 §5.5: no control but HTAB.
bool is_field_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
  });
}

bool is_target(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > 0x20 && c < 0x7F && std::string_view("\"<>\\^`{|}#").find(c) == std::string_view::npos;
  });
}

// The next line without its CRLF; nullopt where no line ends, or a CR or LF stands alone.
std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find_first_of("\r\n");
  if (end == std::string_view::npos || text.substr(end, 2) != "\r\n") return std::nullopt;
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

bool is_version(std::string_view text) { return text == "HTTP/1.0" || text == "HTTP/1.1"; }

}  // namespace

std::vector<std::string_view> StrictHead::all(std::string_view lower_name) const {
  std::vector<std::string_view> values;
  for (const auto& field : fields) {
    if (lower(field.name) == lower_name) values.push_back(field.value);
  }
  return values;
}

std::optional<StrictHead> strict_head(std::string_view head) {
  StrictHead result;
  const auto start = take_line(head);
  if (!start) return std::nullopt;
  result.start = *start;
  while (true) {
    const auto line = take_line(head);
    if (!line) return std::nullopt;
    if (line->empty()) return head.empty() ? std::optional(std::move(result)) : std::nullopt;
    const auto colon = line->find(':');
    if (colon == std::string_view::npos || !is_strict_token(line->substr(0, colon))) return std::nullopt;
    if (!is_field_text(line->substr(colon + 1))) return std::nullopt;
    result.fields.push_back({line->substr(0, colon), trimmed(line->substr(colon + 1))});
    result.longest_line = std::max(result.longest_line, line->size());
    result.longest_name = std::max(result.longest_name, colon);
  }
}

std::optional<StrictRequestLine> strict_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  const StrictRequestLine read{line.substr(0, first), line.substr(first + 1, last - first - 1), line.substr(last + 1)};
  const bool is_good = is_strict_token(read.method) && is_target(read.target) && is_version(read.version);
  return is_good ? std::optional(read) : std::nullopt;
}

std::optional<StrictStatusLine> strict_status_line(std::string_view line) {
  const auto version = line.substr(0, 8);
  if (!is_version(version) || line.size() < 12 || line[8] != ' ') return std::nullopt;
  unsigned status = 0;
  for (const char c : line.substr(9, 3)) {
    if (c < '0' || c > '9') return std::nullopt;
    status = status * 10 + static_cast<unsigned>(c - '0');
  }
  const auto rest = line.substr(12);
  if (!rest.empty() && (rest[0] != ' ' || !is_field_text(rest))) return std::nullopt;
  return StrictStatusLine{version, status, rest.empty() ? rest : rest.substr(1)};
}

bool is_strict_token(std::string_view text) {
  constexpr std::string_view allowed = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return result;
}

std::vector<std::string> elements(std::string_view list) {
  std::vector<std::string> found;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (const auto element = trimmed(list.substr(0, comma)); !element.empty()) found.push_back(lower(element));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return found;
}

}  // namespace keygate::fuzz
