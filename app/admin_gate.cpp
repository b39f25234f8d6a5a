#include "app/admin_gate.hpp"

#include <boost/beast/core/string.hpp>
#include <openssl/crypto.h>

namespace keygate::app {
namespace {

constexpr std::size_t max_token = 4096;

// "127.0.0.1:9902" without the port; "[::1]:9902" too.
std::string_view without_port(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

// A name that the operator's own machine is called by. Any other that leads here is an attacker's, who has his name
// point at 127.0.0.1 (DNS rebinding). Through a forwarded port the number may be another.
bool is_loopback_name(std::string_view authority) {
  const std::string_view name = without_port(authority);
  const bool is_v4 = name.starts_with("127.") && name.find_first_not_of("0123456789.") == std::string_view::npos;
  return is_v4 || name == "[::1]" || boost::beast::iequals(name, "localhost");
}

bool is_bearer(std::string_view authorization, const keys::KeyDigest& wanted) {
  constexpr std::string_view scheme = "Bearer ";
  if (authorization.size() <= scheme.size() || authorization.size() > max_token + scheme.size()) return false;
  if (!boost::beast::iequals(authorization.substr(0, scheme.size()), scheme)) return false;
  const keys::KeyDigest digest = keys::Hasher()(keys::SecretView(authorization.substr(scheme.size())));
  return CRYPTO_memcmp(digest.bytes.data(), wanted.bytes.data(), wanted.bytes.size()) == 0;
}

bool comes_from_elsewhere(const AdminCall& call) {
  const bool is_other_site = !call.fetch_site.empty() && call.fetch_site != "same-origin" && call.fetch_site != "none";
  return is_other_site || (!call.origin.empty() && call.origin != "http://" + std::string(call.host));
}

}  // namespace

std::optional<AdminRefusal> refusal_of(const AdminCall& call, const std::optional<keys::KeyDigest>& token) {
  if (!call.is_local && !is_loopback_name(call.host)) {
    return AdminRefusal{421, "misdirected_request", "The Host is not this machine's: ask by 127.0.0.1 or localhost."};
  }
  if (comes_from_elsewhere(call)) {
    return AdminRefusal{403, "cross_site", "A page of another site asks, which may neither look nor change anything."};
  }
  const std::string_view type = call.content_type.substr(0, call.content_type.find(';'));
  if (call.has_body && !boost::beast::iequals(type, "application/json")) {
    return AdminRefusal{415, "unsupported_media_type", "The body has to be application/json."};
  }
  if (!call.changes) return std::nullopt;
  if (!token) {
    if (call.is_local) return std::nullopt;
    return AdminRefusal{403, "read_only", "Without admin.token_file nothing can be changed over TCP."};
  }
  if (is_bearer(call.authorization, *token)) return std::nullopt;
  return AdminRefusal{401, "invalid_token", "This call changes something: send the token of admin.token_file."};
}

}  // namespace keygate::app
