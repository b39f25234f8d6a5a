#include "policy/rate_limit.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace keygate::policy {
namespace {

constexpr std::int64_t second = 1'000'000;  // in microseconds
constexpr std::int64_t day = 86'400 * second;

std::int64_t seconds_up(std::int64_t micros) { return micros <= 0 ? 0 : (micros + second - 1) / second; }

std::int64_t day_of(std::int64_t now) { return now / day; }

// The whole of a limit, as time.
std::int64_t burst(const RateLimit& limit) { return limit.interval() * static_cast<std::int64_t>(limit.limit); }

struct Line {
  std::string_view name;
  std::uint64_t value;
};

}  // namespace

std::int64_t RateLimit::interval() const {
  const auto most = static_cast<std::int64_t>(std::max<std::uint64_t>(limit, 1));
  return (std::int64_t{window.count()} * second + most - 1) / most;
}

std::string_view limit_flaw(std::uint64_t limit, std::chrono::milliseconds window) {
  if (window < std::chrono::seconds(1) || window > longest_window) return "a window is from 1s to 1d";
  if (window.count() % 1'000 != 0) return "a window is whole seconds";
  if (limit < 1 || limit > most_requests) return "a limit is from 1 to 1000000 requests";
  const auto seconds = static_cast<std::uint64_t>(window.count()) / 1'000;
  if (limit > most_requests_a_second * seconds) return "no more than 10000 requests a second are counted";
  return {};
}

Count current(const RateLimit& limit, const Count& count, std::int64_t now) {
  if (limit.is_daily()) {
    const std::int64_t today = day_of(now);
    // One day ahead is a clock that has gone back over midnight: that day is spent from already.
    const bool counts = count.mark == today || count.mark == today + 1;
    return counts ? count : Count{today, 0};
  }
  return {std::clamp(count.mark, now, now + burst(limit)), 0};
}

bool has_room(const RateLimit& limit, const Count& count, std::int64_t now) {
  const Count is = current(limit, count, now);
  if (limit.is_daily()) return is.used < static_cast<std::int64_t>(limit.limit);
  return is.mark + limit.interval() <= now + burst(limit);
}

Count after_one(const RateLimit& limit, const Count& count, std::int64_t now) {
  Count next = current(limit, count, now);
  if (limit.is_daily()) {
    ++next.used;
  } else {
    next.mark += limit.interval();
  }
  return next;
}

std::int64_t is_over_at(const RateLimit& limit, const Count& count) {
  return limit.is_daily() ? (count.mark + 1) * day : count.mark;
}

std::int64_t share_spent(const RateLimit& limit, const Count& count, std::int64_t now) {
  const Count is = current(limit, count, now);
  const auto most = static_cast<std::int64_t>(limit.limit);
  const std::int64_t spent = limit.is_daily() ? is.used : (is.mark - now) / limit.interval();
  return std::min(spent, most) * 1'000'000 / most;
}

Standing standing_of(const RateLimit& limit, const Count& count, std::int64_t now) {
  const Count is = current(limit, count, now);
  Standing standing{.limit = limit.limit};
  if (limit.is_daily()) {
    const auto most = static_cast<std::int64_t>(limit.limit);
    standing.remaining = static_cast<std::uint64_t>(std::max<std::int64_t>(most - is.used, 0));
    standing.reset = seconds_up((is.mark + 1) * day - now);
    standing.retry_after = standing.remaining == 0 ? standing.reset : 0;
    return standing;
  }
  const std::int64_t left = now + burst(limit) - is.mark;
  standing.remaining = static_cast<std::uint64_t>(left / limit.interval());
  standing.reset = seconds_up(is.mark - now);
  standing.retry_after = seconds_up(limit.interval() - left);
  return standing;
}

bool is_tighter(const Standing& a, const Standing& b) {
  if (a.retry_after != b.retry_after) return a.retry_after > b.retry_after;
  if (a.remaining != b.remaining) return a.remaining < b.remaining;
  return a.reset > b.reset;
}

std::string_view rate_fields(const Standing& standing, std::array<char, rate_fields_bound>& room) {
  char* at = room.data();
  for (const Line& line : {Line{"RateLimit-Limit: ", standing.limit}, Line{"RateLimit-Remaining: ", standing.remaining},
                           Line{"RateLimit-Reset: ", static_cast<std::uint64_t>(standing.reset)}}) {
    at = std::copy(line.name.begin(), line.name.end(), at);
    at = std::to_chars(at, room.data() + room.size(), line.value).ptr;
    *at++ = '\r';
    *at++ = '\n';
  }
  return {room.data(), static_cast<std::size_t>(at - room.data())};
}

bool is_rate_field(std::string_view name) {
  constexpr std::array<std::string_view, 3> ours{"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"};
  constexpr std::size_t shortest = 15, longest = 19;
  if (name.size() < shortest || name.size() > longest) return false;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::any_of(ours, [&](std::string_view own) { return std::ranges::equal(name, own, {}, lower); });
}

}  // namespace keygate::policy
