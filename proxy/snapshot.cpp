#include "proxy/snapshot.hpp"

#include <utility>

namespace keygate::proxy {

Snapshot::Snapshot(std::uint64_t number, std::shared_ptr<const config::Settings> from,
                   std::shared_ptr<const policy::Policy> rules)
    : generation(number),
      settings(std::move(from)),
      policy(std::move(rules)),
      reserved(settings->identity_headers, settings->credentials),
      credentials(settings->credentials),
      trusted(settings->trusted_proxies) {}

}  // namespace keygate::proxy
