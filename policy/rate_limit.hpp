// How many requests in a window, and what is left of them: the arithmetic that a proxy and the script in Redis share
// (keys/limit_script), so that both count alike. Pure: `now` is passed in, in unix microseconds.
// A window of a day is the UTC day; any other is a GCRA whose burst is the whole limit.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace keygate::policy {

// Whom one count is for. Several of them: each combination has a count of its own.
struct CountedBy {
  bool key = false, organization = false, address = false;
  bool operator==(const CountedBy&) const = default;
};

struct RateLimit {
  std::uint64_t limit = 0;         // requests, from 1 to most_requests
  std::chrono::seconds window{0};  // from 1 s to a day
  CountedBy per{};

  bool is_daily() const { return window == std::chrono::hours(24); }
  // Microseconds that one request takes up, rounded up: what is let through is never more than was written.
  std::int64_t interval() const;
  bool operator==(const RateLimit&) const = default;
};

inline constexpr std::uint64_t most_requests = 1'000'000;
inline constexpr std::uint64_t most_requests_a_second = 10'000;  // an interval is whole microseconds
inline constexpr std::size_t most_limits = 4;                    // of a route; the key's own comes on top
inline constexpr std::chrono::seconds longest_window = std::chrono::hours(24);

// Why these two make no limit, as a sentence about the limit, or nothing.
std::string_view limit_flaw(std::uint64_t limit, std::chrono::milliseconds window);

// What is kept of a limit: `mark` is the moment at which nothing will be spent any more, or of a day its number since
// 1970; `used` counts the requests of that day. All zeros: nothing was spent.
struct Count {
  std::int64_t mark = 0;
  std::int64_t used = 0;
  bool operator==(const Count&) const = default;
};

// As it counts now: what is over is nothing, and what lies further ahead than the limit could have put it (a clock went
// back, the limit was lowered) is a window that is spent.
Count current(const RateLimit& limit, const Count& count, std::int64_t now);
bool has_room(const RateLimit& limit, const Count& count, std::int64_t now);
Count after_one(const RateLimit& limit, const Count& count, std::int64_t now);
// From when on the count says nothing any more.
std::int64_t is_over_at(const RateLimit& limit, const Count& count);
// How much of the limit is spent, in millionths.
std::int64_t share_spent(const RateLimit& limit, const Count& count, std::int64_t now);

// What a client is told.
struct Standing {
  std::uint64_t limit = 0;
  std::uint64_t remaining = 0;
  std::int64_t reset = 0;        // seconds until nothing is spent any more
  std::int64_t retry_after = 0;  // seconds until one more passes; 0: one does now
};
Standing standing_of(const RateLimit& limit, const Count& count, std::int64_t now);

// Whether `a` says more to the client than `b`: the longer wait, then the fewer that are left, then the later reset.
bool is_tighter(const Standing& a, const Standing& b);

// "RateLimit-Limit: 10\r\nRateLimit-Remaining: 9\r\nRateLimit-Reset: 52200\r\n" in `room`.
inline constexpr std::size_t rate_fields_bound = 160;
std::string_view rate_fields(const Standing& standing, std::array<char, rate_fields_bound>& room);
// Whether a response field is one of these; case does not count.
bool is_rate_field(std::string_view name);

}  // namespace keygate::policy
