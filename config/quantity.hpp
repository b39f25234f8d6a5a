// Durations and sizes as people write them: 250ms, 5s, 1m, 24h, 90d; 64KiB, 1MiB, 4096.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace keygate::config {

// A whole number followed by ms, s, m, h or d, without a blank. nullopt: not that form, or over 100 years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// A whole number, alone (bytes) or followed by B, KiB, MiB or GiB. nullopt: not that form, or over 2^60.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace keygate::config
