// Where a key may be used from: address blocks, and whether an address is in one. Pure.
// Used for `allowed_cidrs` of a key's record.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::policy {

// An IPv6 address, or an IPv4 one as ::ffff:a.b.c.d.
using AddressBytes = std::array<std::uint8_t, 16>;

struct AddressBlock {
  AddressBytes network{};
  unsigned prefix = 128;  // of the 16 bytes
  bool operator==(const AddressBlock&) const = default;
};

inline constexpr std::size_t max_blocks = 64;  // of a key

// 10.0.0.0/8, ::1/128 or a bare address; nullopt: none, or it has bits past its prefix.
std::optional<AddressBlock> parse_block(const std::string& text);
std::string to_string(const AddressBlock& block);

bool covers(const AddressBlock& block, const AddressBytes& address);
bool is_in_any(const std::vector<AddressBlock>& blocks, const AddressBytes& address);

}  // namespace keygate::policy
