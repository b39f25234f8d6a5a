// Whose word does the key server take, and for what? Tokens are kept as digests and compared in constant time.
#pragma once

#include "config/fault.hpp"
#include "config/resolution_settings.hpp"
#include "keys/digest.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace keygate::app {

// Who asks: the token they have.
enum class Asker : std::uint8_t {
  nobody,   // none of ours
  proxy,    // verifies keys and reports use
  manager,  // a proxy whose customers manage their own keys: each confined to what the proxy says of it
  admin,    // may do everything
};

class KeyTokens {
 public:
  // Reads the files; a Fault names the one that cannot be, or two that hold the same.
  static config::Parsed<KeyTokens> read(const config::KeyServiceSettings& settings);

  // An unset token opens nothing.
  Asker asker_of(std::string_view token) const;

 private:
  std::optional<keys::KeyDigest> proxy_, manager_, admin_;
};

}  // namespace keygate::app
