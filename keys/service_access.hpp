// What is needed to ask the key service, read from where the configuration names it. Made once a configuration on the
// control thread, by app; shared by the sources of all workers.
#pragma once

#include "config/fault.hpp"
#include "config/resolution_settings.hpp"
#include "keys/client_tls.hpp"

#include <memory>
#include <string>

namespace keygate::keys {

struct ServiceAccess {
  config::ServiceSettings settings;
  std::string token;                     // empty: it is asked without
  std::shared_ptr<const ClientTls> tls;  // null where no URL is https://

  ServiceAccess() = default;
  ~ServiceAccess();  // wipes the token
  ServiceAccess(const ServiceAccess&) = delete;
  ServiceAccess& operator=(const ServiceAccess&) = delete;
};

// A Fault where the token or the certificates cannot be read; it names the file or the variable.
config::Parsed<std::shared_ptr<const ServiceAccess>> read_service_access(const config::ServiceSettings& settings);

}  // namespace keygate::keys
