#include "policy/address_block.hpp"

#include "config/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <variant>

namespace keygate::policy {
namespace {

constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned mapped_bits = 96;

bool is_v4(const AddressBytes& address) { return std::equal(mapped.begin(), mapped.end(), address.begin()); }

}  // namespace

std::optional<AddressBlock> parse_block(const std::string& text) {
  if (!std::holds_alternative<std::string>(config::parse_address_block(text))) return std::nullopt;
  const std::size_t slash = text.find('/');
  const std::string address = text.substr(0, slash);
  AddressBlock block;
  const bool is_short = inet_pton(AF_INET, address.c_str(), block.network.data() + mapped.size()) == 1;
  if (is_short) {
    std::copy(mapped.begin(), mapped.end(), block.network.begin());
  } else if (inet_pton(AF_INET6, address.c_str(), block.network.data()) != 1) {
    return std::nullopt;
  }
  if (slash == std::string::npos) return block;
  unsigned bits = 0;
  std::from_chars(text.data() + slash + 1, text.data() + text.size(), bits);
  block.prefix = is_short ? bits + mapped_bits : bits;
  return block;
}

std::string to_string(const AddressBlock& block) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool is_short = is_v4(block.network) && block.prefix >= mapped_bits;
  inet_ntop(is_short ? AF_INET : AF_INET6, block.network.data() + (is_short ? mapped.size() : 0), text.data(),
            text.size());
  return std::string(text.data()) + '/' + std::to_string(is_short ? block.prefix - mapped_bits : block.prefix);
}

// ::/0 is every IPv6 address and no IPv4 one, whatever form we keep those in.
bool covers(const AddressBlock& block, const AddressBytes& address) {
  if (is_v4(address) && block.prefix < mapped_bits) return false;
  unsigned bits = block.prefix;
  for (std::size_t i = 0; i < address.size() && bits > 0; ++i) {
    const unsigned take = std::min(bits, 8U);
    const unsigned mask = 0xffU << (8 - take) & 0xffU;
    if ((block.network[i] & mask) != (address[i] & mask)) return false;
    bits -= take;
  }
  return true;
}

bool is_in_any(const std::vector<AddressBlock>& blocks, const AddressBytes& address) {
  return std::ranges::any_of(blocks, [&](const AddressBlock& block) { return covers(block, address); });
}

}  // namespace keygate::policy
