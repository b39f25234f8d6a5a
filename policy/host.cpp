// canonical_host: the one form in which a request's host is compared (H-11).
#include "policy/percent.hpp"
#include "policy/route_table.hpp"

#include <algorithm>
#include <array>

namespace keygate::policy {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_port(std::string_view text) {
  constexpr unsigned highest = 65535;
  if (!std::all_of(text.begin(), text.end(), is_digit)) return false;
  unsigned port = 0;
  for (const char c : text) {
    port = port * 10 + static_cast<unsigned>(c - '0');
    if (port > highest) return false;
  }
  return true;
}

// What a byte of a name becomes; 0 where it may not stand in one.
constexpr std::array<char, 256> name_bytes = [] {
  std::array<char, 256> table{};
  for (unsigned c = 0; c < table.size(); ++c) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    table[c] = is_unreserved(static_cast<unsigned char>(c)) ? static_cast<char>(is_upper ? c - 'A' + 'a' : c) : '\0';
  }
  return table;
}();

// Folds `text` into `out`, which has room for it. False: it is no name.
bool fold_name(std::string_view text, char* out) {
  char before = '.';  // no label is empty
  for (const char c : text) {
    const char folded = name_bytes[static_cast<unsigned char>(c)];
    if (folded == '\0' || (folded == '.' && before == '.')) return false;
    before = folded;
    *out++ = folded;
  }
  return before != '.';
}

// "[::1]". What is between the brackets is compared as text, so only its alphabet is checked; a zone has no place in a
// Host.
bool is_bracketed(std::string_view text) {
  if (text.size() < 4 || text.front() != '[' || text.back() != ']') return false;
  const auto inside = text.substr(1, text.size() - 2);
  return inside.find(':') != std::string_view::npos && std::all_of(inside.begin(), inside.end(), [](char c) {
           return hex_value(c).has_value() || c == ':' || c == '.';
         });
}

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::optional<std::string_view> canonical_host(std::string_view host, std::span<char> buffer) {
  const bool is_address = host.starts_with('[');
  const auto name_end = is_address ? host.find(']') + 1 : std::min(host.find(':'), host.size());
  auto name = host.substr(0, name_end);
  const auto port = host.substr(name.size());
  if (!port.empty() && (port.front() != ':' || !is_port(port.substr(1)))) return std::nullopt;
  if (!is_address && name.ends_with('.')) name.remove_suffix(1);
  if (name.size() > max_host || name.size() > buffer.size()) return std::nullopt;
  if (is_address && !is_bracketed(name)) return std::nullopt;
  if (is_address) std::transform(name.begin(), name.end(), buffer.begin(), lower);
  if (!is_address && !fold_name(name, buffer.data())) return std::nullopt;
  return std::string_view(buffer.data(), name.size());
}

}  // namespace keygate::policy
