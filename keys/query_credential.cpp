#include "keys/query_credential.hpp"

#include "keys/pieces.hpp"

#include <algorithm>
#include <cstring>

namespace keygate::keys {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char letter = lower(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

bool is_escape(std::string_view text) {
  return text.size() >= 3 && text[0] == '%' && hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0;
}

// Cuts one character off `raw`, decoded; what is no escape stands for itself.
char take_decoded(std::string_view& raw) {
  if (is_escape(raw)) {
    const int code = hex_value(raw[1]) * 16 + hex_value(raw[2]);
    raw.remove_prefix(3);
    return static_cast<char>(code);
  }
  const char c = raw.front();
  raw.remove_prefix(1);
  return c == '+' ? ' ' : c;
}

bool names_credential(std::string_view piece, std::span<const std::string> names) {
  return std::ranges::any_of(names, [&](const std::string& name) { return is_query_name(name_of(piece), name); });
}

bool has_bad_escape(std::string_view query) {
  for (std::size_t at = query.find('%'); at != std::string_view::npos; at = query.find('%', at + 1)) {
    if (!is_escape(query.substr(at))) return true;
  }
  return false;
}

}  // namespace

bool is_query_name(std::string_view raw, std::string_view name) {
  for (const char expected : name) {
    if (raw.empty() || lower(take_decoded(raw)) != lower(expected)) return false;
  }
  return raw.empty();
}

bool is_query_ambiguous(std::string_view query, std::span<const std::string> names) {
  if (has_bad_escape(query)) return true;
  for (Pieces parameters(query, "&"); parameters.next();) {
    const bool has_semicolon = parameters.piece().find(';') != std::string_view::npos;
    for (Pieces parts(parameters.piece(), ";"); parts.next();) {
      if (!names_credential(parts.piece(), names)) continue;
      if (has_semicolon || parts.piece().find('=') == std::string_view::npos) return true;
    }
  }
  return false;
}

std::size_t strip_query(std::string_view query, std::span<const std::string> names, char* out) {
  std::size_t size = 0;
  bool is_first = true;
  const auto write = [&](std::string_view text) {
    if (text.empty()) return;                            // its data may be null
    std::memmove(out + size, text.data(), text.size());  // `out` may be the query itself
    size += text.size();
  };
  // ';' separates here as well: a query where that makes a difference is ambiguous and refused, but should one get
  // here, no parser finds a credential in what is left.
  for (Pieces parameters(query, "&;"); parameters.next();) {
    if (names_credential(parameters.piece(), names)) continue;
    if (!is_first) write(parameters.separator());
    write(parameters.piece());
    is_first = false;
  }
  return size;
}

}  // namespace keygate::keys
