// How long things took, counted in buckets: what one worker adds to and a scrape sums up. Plain numbers, no locks: one
// writer, who also hands out copies.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace keygate::telemetry {

using std::chrono::nanoseconds;

// Upper bounds in nanoseconds, ascending; a value that equals one is within it.
inline constexpr std::array<std::int64_t, 16> auth_bounds{
    1'000,   2'000,     5'000,     10'000,    20'000,     50'000,      100'000,     200'000,
    500'000, 1'000'000, 2'000'000, 5'000'000, 20'000'000, 100'000'000, 500'000'000, 2'000'000'000};
inline constexpr std::array<std::int64_t, 16> request_bounds{
    250'000,     500'000,     1'000'000,   2'500'000,     5'000'000,     10'000'000,    25'000'000,     50'000'000,
    100'000'000, 250'000'000, 500'000'000, 1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000, 30'000'000'000};

template <const auto& Bounds>
struct Histogram {
  static constexpr std::size_t size = Bounds.size();

  std::array<std::uint64_t, size + 1> counts{};  // of each bucket alone; the last is what is over all bounds
  std::uint64_t sum = 0;                         // nanoseconds

  void add(nanoseconds value) {
    std::size_t bucket = 0;
    while (bucket < size && value.count() > Bounds[bucket]) ++bucket;
    ++counts[bucket];
    sum += static_cast<std::uint64_t>(value.count() > 0 ? value.count() : 0);
  }

  void merge(const Histogram& other) {
    for (std::size_t i = 0; i <= size; ++i) counts[i] += other.counts[i];
    sum += other.sum;
  }

  std::uint64_t total() const {
    std::uint64_t all = 0;
    for (const std::uint64_t count : counts) all += count;
    return all;
  }

  // The value below which the share `q` (0 to 1) of all lies, as far as buckets tell: evenly spread within its bucket,
  // and the highest bound for what is over it. 0 where nothing was counted.
  nanoseconds quantile(double q) const {
    const auto all = static_cast<double>(total());
    double below = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const auto here = static_cast<double>(counts[i]);
      if (here > 0 && below + here >= q * all) {
        const auto low = static_cast<double>(i == 0 ? 0 : Bounds[i - 1]);
        const auto high = static_cast<double>(Bounds[i]);
        return nanoseconds(static_cast<std::int64_t>(low + (high - low) * (q * all - below) / here));
      }
      below += here;
    }
    return nanoseconds(all == 0 ? 0 : Bounds[size - 1]);
  }
};

using AuthTimes = Histogram<auth_bounds>;
using RequestTimes = Histogram<request_bounds>;

}  // namespace keygate::telemetry
