#include "keys/cookie_credential.hpp"

#include "keys/pieces.hpp"

#include <algorithm>
#include <cstring>

namespace keygate::keys {

namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

bool is_cookie_named(std::string_view pair, std::string_view name) { return trimmed(name_of(pair)) == name; }

std::string_view cookie_value(std::string_view pair) { return value_of(trimmed(pair)); }

std::size_t strip_cookie(std::string_view value, std::span<const std::string> names, char* out) {
  std::size_t size = 0;
  bool is_first = true;
  const auto write = [&](std::string_view text) {
    if (text.empty()) return;                            // its data may be null
    std::memmove(out + size, text.data(), text.size());  // `out` may be the value itself
    size += text.size();
  };
  for (Pieces pairs(value, ";"); pairs.next();) {
    std::string_view pair = pairs.piece();
    if (std::ranges::any_of(names, [&](const std::string& name) { return is_cookie_named(pair, name); })) continue;
    if (!is_first) {
      write(pairs.separator());
    } else if (!pairs.separator().empty()) {
      // The pair that was first is gone, and with it the blank that set this one off.
      pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    }
    write(pair);
    is_first = false;
  }
  return size;
}

}  // namespace keygate::keys
