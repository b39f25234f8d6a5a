#include "proxy/forwarding.hpp"

#include "proxy/request_head.hpp"

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace keygate::proxy {
namespace {

namespace ip = boost::asio::ip;

// ::ffff:10.0.0.1 is 10.0.0.1: a dual-stack listener must not make a trusted block miss, or be missed.
Address unmapped(const Address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  }
  return address;
}

template <class Bytes>
bool share_prefix(const Bytes& a, const Bytes& b, unsigned bits) {
  for (std::size_t i = 0; i < a.size() && bits > 0; ++i) {
    const unsigned take = bits < 8 ? bits : 8;
    const unsigned mask = 0xffU << (8 - take) & 0xffU;
    if ((a[i] & mask) != (b[i] & mask)) {
      return false;
    }
    bits -= take;
  }
  return true;
}

// Nothing, or ":8080".
bool is_port(std::string_view text) {
  return text.empty() || (text.front() == ':' && text.size() > 1 && text.size() <= 6 &&
                          text.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

// "10.0.0.1", "[::1]", "10.0.0.1:8080", "[::1]:80", "::1".
std::optional<Address> parse_hop(std::string_view hop) {
  boost::system::error_code error;
  std::string_view port;
  if (hop.starts_with('[')) {
    const std::size_t bracket = hop.find(']');
    if (bracket == std::string_view::npos) {
      return std::nullopt;
    }
    port = hop.substr(bracket + 1);
    hop = hop.substr(1, bracket - 1);
  } else if (const std::size_t colon = hop.find(':'); colon != std::string_view::npos && colon == hop.rfind(':')) {
    port = hop.substr(colon);
    hop = hop.substr(0, colon);
  }
  if (!is_port(port)) {
    return std::nullopt;
  }
  const Address address = ip::make_address(hop, error);
  if (error) {
    return std::nullopt;
  }
  return unmapped(address);
}

// The hops of X-Forwarded-For from the right, as far as they can be believed.
struct WayBack {
  Address client;          // the first whose word is not taken, or the last that there is; unspecified: none
  unsigned hops = 0;       // up to there
  bool is_legible = true;  // false: a hop on the way is no address
};

WayBack walk_back(std::span<const policy::HeaderField> headers, const TrustedProxies& trusted) {
  WayBack way;
  for (auto field = headers.rbegin(); field != headers.rend(); ++field) {
    if (!equals_ignoring_case(field->name, "x-forwarded-for")) {
      continue;
    }
    // What is empty, a line or what stands before a comma, is one hop of which nothing is said.
    std::optional<std::string_view> list = field->value;
    while (list) {
      const std::size_t comma = list->rfind(',');
      std::string_view hop = comma == std::string_view::npos ? *list : list->substr(comma + 1);
      list = comma == std::string_view::npos ? std::nullopt : std::optional(list->substr(0, comma));
      const std::size_t first = hop.find_first_not_of(" \t");
      hop = first == std::string_view::npos ? std::string_view{}
                                            : hop.substr(first, hop.find_last_not_of(" \t") - first + 1);
      const auto address = parse_hop(hop);
      if (!address) {
        way.is_legible = false;
        return way;
      }
      way.client = *address;
      ++way.hops;
      if (!trusted.contains(way.client)) {
        return way;
      }
    }
  }
  return way;
}

}  // namespace

TrustedProxies::TrustedProxies(const std::vector<config::Text>& blocks) {
  for (const auto& block : blocks) {
    const std::string& text = block.value;
    const std::size_t slash = text.find('/');
    boost::system::error_code error;
    const Address network = ip::make_address(text.substr(0, slash), error);
    if (error) {
      continue;  // the loader has refused it
    }
    unsigned prefix = network.is_v4() ? 32 : 128;
    if (slash != std::string::npos) {
      std::from_chars(text.data() + slash + 1, text.data() + text.size(), prefix);
    }
    // A block that is written as ::ffff:10.0.0.0/104 is the block 10.0.0.0/8: what it is compared with is unmapped too.
    const bool is_mapped = network.is_v6() && network.to_v6().is_v4_mapped() && prefix >= 96;
    blocks_.push_back(is_mapped ? Block{unmapped(network), prefix - 96} : Block{network, prefix});
  }
}

bool TrustedProxies::contains(const Address& address) const {
  const Address plain = unmapped(address);
  for (const auto& [network, prefix] : blocks_) {
    if (network.is_v4() && plain.is_v4() &&
        share_prefix(network.to_v4().to_bytes(), plain.to_v4().to_bytes(), prefix)) {
      return true;
    }
    if (network.is_v6() && plain.is_v6() &&
        share_prefix(network.to_v6().to_bytes(), plain.to_v6().to_bytes(), prefix)) {
      return true;
    }
  }
  return false;
}

Address client_address(const Address& peer, std::span<const policy::HeaderField> headers,
                       const TrustedProxies& trusted) {
  const Address client = unmapped(peer);
  if (trusted.empty() || !trusted.contains(client)) {
    return client;
  }
  const WayBack way = walk_back(headers, trusted);
  return way.hops > 0 ? way.client : client;
}

Address named_client(std::span<const policy::HeaderField> headers, const TrustedProxies& trusted,
                     config::DecisionDialect dialect) {
  const WayBack way = walk_back(headers, trusted);
  const bool is_envoy_itself =
      dialect == config::DecisionDialect::envoy && way.hops == 1 && trusted.contains(way.client);
  return way.is_legible && !is_envoy_itself ? way.client : Address();
}

policy::AddressBytes bytes_of(const Address& address) {
  return address.is_v4() ? ip::make_address_v6(ip::v4_mapped, address.to_v4()).to_bytes() : address.to_v6().to_bytes();
}

keys::AskerAddress asker_of(const Address& client) {
  const Address plain = unmapped(client);
  if (plain.is_v4()) {
    return bytes_of(plain);
  }
  keys::AskerAddress network = plain.to_v6().to_bytes();
  std::fill(network.begin() + 8, network.end(), std::uint8_t{0});
  return network;
}

}  // namespace keygate::proxy
