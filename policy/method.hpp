// The request methods that Keygate forwards, and sets of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace keygate::policy {

// TRACE and CONNECT are known only to be refused.
enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options, trace, connect };

inline constexpr std::size_t method_count = 9;

// Exact and case-sensitive (RFC 9110 §9.1); nullopt for any other word.
std::optional<Method> parse_method(std::string_view word);

std::string_view to_string(Method method);

// RFC 9110 §9.2.2.
constexpr bool is_idempotent(Method method) { return method != Method::post && method != Method::patch; }

// RFC 9110 §9.2.1.
constexpr bool is_safe(Method method) {
  return method == Method::get || method == Method::head || method == Method::options || method == Method::trace;
}

}  // namespace keygate::policy
