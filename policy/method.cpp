#include "policy/method.hpp"

#include <array>

namespace keygate::policy {
namespace {

constexpr std::array<std::string_view, method_count> words{"GET",    "HEAD",    "POST",  "PUT",    "PATCH",
                                                           "DELETE", "OPTIONS", "TRACE", "CONNECT"};

}  // namespace

std::optional<Method> parse_method(std::string_view word) {
  for (std::size_t number = 0; number < words.size(); ++number) {
    if (words[number] == word) return static_cast<Method>(number);
  }
  return std::nullopt;
}

std::string_view to_string(Method method) { return words[static_cast<std::size_t>(method)]; }

}  // namespace keygate::policy
