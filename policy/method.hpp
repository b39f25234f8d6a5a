// The request methods that Keygate forwards, and sets of them.
#pragma once

#include <cstddef>
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

// An empty set is what a route without `methods:` has; the matcher reads it as "any".
class MethodSet {
 public:
  constexpr void add(Method method) { bits_ = static_cast<std::uint16_t>(bits_ | bit(method)); }
  constexpr bool has(Method method) const { return (bits_ & bit(method)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool meets(MethodSet other) const { return (bits_ & other.bits_) != 0; }

 private:
  static constexpr unsigned bit(Method method) { return 1U << static_cast<unsigned>(method); }

  std::uint16_t bits_ = 0;
};

}  // namespace keygate::policy
