// Whom a credential turned out to be, and what a look-up can find out about a key.
// Made by the sources in keys/, cached there, judged here.
#pragma once

#include "config/settings.hpp"
#include "policy/address_block.hpp"
#include "policy/rate_limit.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::policy {

using config::Environment;

std::string_view to_string(Environment environment);  // "live", "test", or "" for none

enum class CredentialKind : std::uint8_t { none, api_key, session, admin };

// The X-Auth-Method header and the access log: anonymous, api_key, session, admin.
std::string_view to_string(CredentialKind kind);

// What holds for one key beyond what its route says.
struct Restrictions {
  std::vector<AddressBlock> allowed_from;  // empty: from anywhere
  std::optional<RateLimit> rate_limit;     // of all its requests together, on whichever route
};

struct Principal {
  std::string key_id;
  std::string organization;  // empty: none
  std::string user;          // empty: none
  Environment environment = Environment::none;
  std::vector<std::string> granted;                    // scope names, `*`, `resource:*`; at most max_granted
  std::optional<std::int64_t> expires_at;              // unix seconds; from this second on the key is expired
  std::shared_ptr<const Restrictions> restrictions{};  // null: none
};

// "Found out". Its absence (an error in a Result) means "could not find out"; the two never mix.
struct KeyAnswer {
  enum class State : std::uint8_t { valid, unknown, revoked, disabled, expired };
  State state = State::unknown;
  Principal principal;  // key_id may be set for revoked, disabled and expired too; the rest only where valid
};

// `[A-Za-z0-9_.:@|+=-]{1,128}`: what may stand in an identity header. Anything else is never injected (H-10).
bool is_identity_value(std::string_view value);

inline constexpr std::size_t max_granted = 256;

// Whether every field that would become an identity header is one. Empty organization and user mean "none" and pass;
// key_id must be present; over max_granted scopes are no principal that a key service may name (C-14).
bool is_presentable(const Principal& principal);

// The same of a session's, which has a user and may have no key_id.
bool is_presentable_session(const Principal& principal);

}  // namespace keygate::policy
