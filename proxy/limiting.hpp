// Against which counts does a granted request go? Pure but for the hash. Called by exchange.
#pragma once

#include "keys/limit_script.hpp"
#include "policy/principal.hpp"
#include "policy/route_table.hpp"
#include "proxy/forwarding.hpp"

namespace keygate::proxy {

struct CountedRequest {
  const policy::Route& route;
  const policy::Principal* principal = nullptr;  // null: anonymous
  keys::AskerAddress client{};
};

// Those of the route, and the key's own. A count that is of keys, where there is none, is of the session's user; that
// of an organization, where there is none, is of the key; and where there is nobody, of the address.
keys::LimitUses limit_uses(const CountedRequest& request, keys::Hasher& hash);

}  // namespace keygate::proxy
