// The client's address behind trusted proxies: the first hop from the right that none of them is, and never what stands
// left of a stranger's or of what is no address. Held against a reading by inet_pton.
// Input: the value of an X-Forwarded-For field a line.
#include "proxy/forwarding.hpp"
#include "tests/fuzz/probe.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace keygate::fuzz {
namespace {

// Of 16 bytes; an IPv4 address as the IPv6 address that it is mapped to.
using Bytes = std::array<unsigned char, 16>;

std::optional<Bytes> address_of(const std::string& text) {
  Bytes bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes[10] = bytes[11] = 0xFF;
  if (inet_pton(AF_INET, text.c_str(), bytes.data() + 12) == 1) return bytes;
  return std::nullopt;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<Bytes> hop_of(std::string_view hop) {
  const auto first = hop.find_first_not_of(" \t");
  if (first == std::string_view::npos) return std::nullopt;
  hop = hop.substr(first, hop.find_last_not_of(" \t") - first + 1);
  if (hop.starts_with('[')) {
    const auto bracket = hop.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    const auto rest = hop.substr(bracket + 1);
    if (!rest.empty() && (rest[0] != ':' || !is_port(rest.substr(1)))) return std::nullopt;
    return address_of(std::string(hop.substr(1, bracket - 1)));
  }
  if (std::count(hop.begin(), hop.end(), ':') == 1) {
    const auto colon = hop.find(':');
    if (!is_port(hop.substr(colon + 1))) return std::nullopt;
    hop = hop.substr(0, colon);
  }
  return address_of(std::string(hop));
}

bool is_trusted(const Bytes& bytes) {
  const auto is_in = [&bytes](const char* network, unsigned bits) {
    const Bytes first = *address_of(network);
    for (unsigned bit = 0; bit < bits; ++bit) {
      if (((first[bit / 8] ^ bytes[bit / 8]) & (0x80U >> bit % 8)) != 0) return false;
    }
    return true;
  };
  return is_in("10.0.0.0", 96 + 8) || is_in("172.16.0.0", 96 + 12) || is_in("192.0.2.0", 96 + 25) || is_in("fd00::", 7);
}

Bytes due_address(const Bytes& peer, const std::vector<std::string_view>& values) {
  std::vector<std::string_view> hops;
  for (const auto value : values) {
    // What is empty, a field too, is a hop of which nothing is said.
    const auto pieces = split(value, ',');
    hops.insert(hops.end(), pieces.begin(), pieces.end());
  }
  Bytes client = peer;
  while (is_trusted(client) && !hops.empty()) {
    const auto hop = hop_of(hops.back());
    if (!hop) return client;
    client = *hop;
    hops.pop_back();
  }
  return client;
}

Bytes bytes_of(const proxy::Address& address) {
  if (address.is_v6()) {
    const auto bytes = address.to_v6().to_bytes();
    Bytes result{};
    std::copy(bytes.begin(), bytes.end(), result.begin());
    return result;
  }
  return *address_of(address.to_string());
}

}  // namespace

void probe(std::string_view input) {
  static const proxy::TrustedProxies trusted(
      {{"10.0.0.0/8", {}}, {"172.16.0.0/12", {}}, {"::ffff:192.0.2.0/121", {}}, {"fd00::/7", {}}});
  // A zone, which inet_pton does not know; or a NUL, which no field value has behind the gate.
  if (input.find_first_of(std::string_view("%\0", 2)) != std::string_view::npos) return;
  const auto values = split(input, '\n');
  std::vector<policy::HeaderField> headers;
  for (const auto value : values) headers.push_back({"X-Forwarded-For", value});
  for (const auto* peer : {"10.0.0.1", "::ffff:10.0.0.1", "203.0.113.7", "fd00::1", "2001:db8::1"}) {
    const auto client = proxy::client_address(boost::asio::ip::make_address(peer), headers, trusted);
    hold(bytes_of(client) == due_address(*address_of(peer), values),
         "the first from the right that nobody vouches for");
    hold(client.is_v4() || !client.to_v6().is_v4_mapped(), "an IPv4 address is written as one");
  }
}

}  // namespace keygate::fuzz
