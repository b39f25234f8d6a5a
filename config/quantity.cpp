#include "config/quantity.hpp"

#include <charconv>

namespace keygate::config {
namespace {

struct Amount {
  std::uint64_t number = 0;
  std::string_view unit;
};

// A leading zero is refused: "010s" may have been meant as octal.
std::optional<Amount> split(std::string_view text) {
  Amount amount;
  const auto* end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, amount.number);
  if (fault != std::errc{}) return std::nullopt;
  const auto digits = static_cast<std::size_t>(rest - text.data());
  if (digits > 1 && text.front() == '0') return std::nullopt;
  amount.unit = text.substr(digits);
  return amount;
}

std::optional<std::uint64_t> product(std::uint64_t number, std::uint64_t factor, std::uint64_t most) {
  if (number > most / factor) return std::nullopt;
  return number * factor;
}

std::uint64_t milliseconds_in(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit == "s") return 1'000;
  if (unit == "m") return 60'000;
  if (unit == "h") return 3'600'000;
  if (unit == "d") return 86'400'000;
  return 0;
}

std::uint64_t bytes_in(std::string_view unit) {
  if (unit.empty() || unit == "B") return 1;
  if (unit == "KiB") return 1ULL << 10;
  if (unit == "MiB") return 1ULL << 20;
  if (unit == "GiB") return 1ULL << 30;
  return 0;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr std::uint64_t century = 36'525ULL * 86'400'000ULL;
  const auto amount = split(text);
  if (!amount) return std::nullopt;
  const auto factor = milliseconds_in(amount->unit);
  if (factor == 0) return std::nullopt;
  const auto count = product(amount->number, factor, century);
  if (!count) return std::nullopt;
  return std::chrono::milliseconds{static_cast<std::chrono::milliseconds::rep>(*count)};
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto amount = split(text);
  if (!amount) return std::nullopt;
  const auto factor = bytes_in(amount->unit);
  if (factor == 0) return std::nullopt;
  return product(amount->number, factor, 1ULL << 60);
}

}  // namespace keygate::config
