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

}  // namespace keygate::config
