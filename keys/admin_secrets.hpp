// Is this text one of the shared secrets that see across organizations? Made at start and reload, from files or the
// environment; holds digests only. Called for each credential in a header; takes the same time whatever it is.
#pragma once

#include "config/fault.hpp"
#include "config/settings.hpp"
#include "keys/digest.hpp"
#include "policy/principal.hpp"

#include <span>
#include <string>
#include <variant>
#include <vector>

namespace keygate::keys {

inline constexpr std::size_t min_admin_secret_size = 32;

struct AdminSecret {
  KeyDigest digest;
  policy::KeyAnswer answer;  // valid; its key_id is the secret's name
};

class AdminSecrets {
 public:
  AdminSecrets() = default;

  // Reads each secret. Fault: one cannot be had, is under 32 characters or no token of RFC 6750, or two are the same.
  static config::Parsed<AdminSecrets> read(const config::CredentialSettings& settings);

  // As read() makes them, each of its stand_in() instead of a secret: for explain, which reads none.
  static AdminSecrets stand_ins(const config::CredentialSettings& settings);
  static std::string stand_in(const std::string& name);

  bool empty() const { return secrets_.empty(); }
  // nullptr: none of them.
  const AdminSecret* find(const KeyDigest& digest) const;
  std::span<const AdminSecret> all() const { return secrets_; }

 private:
  std::vector<AdminSecret> secrets_;
};

}  // namespace keygate::keys
