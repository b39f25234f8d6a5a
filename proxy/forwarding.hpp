// Whose word is taken for where a request came from: the socket's, or a trusted proxy's (A-11, H-06, H-07).
// Pure; no address is trusted by default, private ranges included.
#pragma once

#include "config/problem.hpp"
#include "config/wire_settings.hpp"
#include "keys/unknown_key_budget.hpp"
#include "policy/address_block.hpp"
#include "policy/route_table.hpp"

#include <boost/asio/ip/address.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::proxy {

using Address = boost::asio::ip::address;

class TrustedProxies {
 public:
  // Each is an address or an address block that the loader has checked.
  explicit TrustedProxies(const std::vector<config::Text>& blocks);

  bool empty() const { return blocks_.empty(); }
  bool contains(const Address& address) const;

 private:
  struct Block {
    Address network;
    unsigned prefix = 0;
  };
  std::vector<Block> blocks_;
};

// The client's address: the peer, or where the peer is a trusted proxy, the right-most hop of X-Forwarded-For that is
// not one. A hop that is no address ends the search: what stands left of it could be anybody's claim.
Address client_address(const Address& peer, std::span<const policy::HeaderField> headers,
                       const TrustedProxies& trusted);

// Of whom a trusted proxy asks for a decision: the same hop, and the proxy itself never is. Unspecified where nobody is
// named, and where a hop before the first stranger is no address: nobody knows then. Envoy writes itself behind all
// others, so a trusted proxy that stands there alone is Envoy.
Address named_client(std::span<const policy::HeaderField> headers, const TrustedProxies& trusted,
                     config::DecisionDialect dialect);

// As a key's allowed_cidrs are compared with: an IPv4 address is ::ffff:a.b.c.d.
policy::AddressBytes bytes_of(const Address& address);

// Whose budget it counts against: an IPv6 client is its /64.
keys::AskerAddress asker_of(const Address& client);

}  // namespace keygate::proxy
