// What the configuration only names: passwords, tokens and signing keys, as they were read at start or reload.
// Read by app; held by the snapshot; never logged.
#pragma once

#include "config/settings.hpp"
#include "keys/admin_secrets.hpp"
#include "keys/client_tls.hpp"
#include "keys/digest.hpp"
#include "keys/service_access.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keygate::keys {

struct Secrets {
  AdminSecrets admins;
  std::string redis_password;                    // empty: none
  std::vector<std::string> signing_keys;         // the first signs, all verify; empty: records are not signed
  std::shared_ptr<const ServiceAccess> service;  // null: none is configured
  std::optional<KeyDigest> admin_token;          // of the admin listener
  std::shared_ptr<const ClientTls> tracing_tls;  // null where the collector is not https://
  std::vector<std::string> upstream_tokens;      // by upstream: the Bearer token it is sent; empty: none
};

// Reads all that `settings` name. What cannot be had is a Problem at the place that names it.
Secrets read_secrets(const config::Settings& settings, config::Problems& problems);

// What stands for secrets where none may be read, so that a request can be explained with them: no real one looks so.
Secrets stand_in_secrets(const config::Settings& settings);

}  // namespace keygate::keys
