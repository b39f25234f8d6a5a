#include "config/fault.hpp"

namespace keygate::config {

std::string quoted(const std::string& text) {
  constexpr std::size_t most = 60;
  std::string result = "\"";
  for (const char c : text.substr(0, most)) {
    const auto byte = static_cast<unsigned char>(c);
    result += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return result + (text.size() > most ? "...\"" : "\"");
}

std::string quoted_url(const std::string& text) {
  std::string shown = text;
  if (const auto query = shown.find('?'); query != std::string::npos)
    shown.replace(query + 1, std::string::npos, "***");
  const auto scheme = shown.find("://");
  const auto start = scheme == std::string::npos ? 0 : scheme + 3;
  if (const auto at = shown.rfind('@'); at != std::string::npos && at > start) shown.replace(start, at - start, "***");
  return quoted(shown);
}

}  // namespace keygate::config
