#include "policy/principal.hpp"

#include <algorithm>
#include <array>

namespace keygate::policy {
namespace {

constexpr std::size_t longest_identity = 128;

// A table, as every decision asks this of every byte of an identity.
constexpr std::array<bool, 256> identity_bytes = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:@|+=-")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

bool is_none_or_identity(std::string_view value) { return value.empty() || is_identity_value(value); }

}  // namespace

std::string_view to_string(Environment environment) {
  switch (environment) {
    case Environment::none:
      return "";
    case Environment::live:
      return "live";
    case Environment::test:
      return "test";
  }
  return "";
}

std::string_view to_string(CredentialKind kind) {
  switch (kind) {
    case CredentialKind::none:
      return "anonymous";
    case CredentialKind::api_key:
      return "api_key";
    case CredentialKind::session:
      return "session";
    case CredentialKind::admin:
      return "admin";
  }
  return "anonymous";
}

bool is_identity_value(std::string_view value) {
  return !value.empty() && value.size() <= longest_identity &&
         std::ranges::all_of(value, [](char c) { return identity_bytes[static_cast<unsigned char>(c)]; });
}

bool is_presentable(const Principal& principal) {
  return is_identity_value(principal.key_id) && is_none_or_identity(principal.organization) &&
         is_none_or_identity(principal.user) && principal.granted.size() <= max_granted;
}

bool is_presentable_session(const Principal& principal) {
  return is_none_or_identity(principal.key_id) && is_none_or_identity(principal.organization) &&
         is_identity_value(principal.user) && principal.granted.size() <= max_granted;
}

}  // namespace keygate::policy
