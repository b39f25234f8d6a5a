// Is this exchange's trace recorded? Who is trusted says it for us. Anybody else may only wish for it: a few wishes a
// second are granted, and beyond them our own dice decide, so that nobody can have every request of theirs recorded, or
// none. Pure: time and randomness are passed in.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace keygate::proxy {

// Of one process; its workers share them.
inline constexpr double granted_wishes_per_second = 10;

class TraceSampler {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // What the client's traceparent says, where it sent one.
  struct Wish {
    std::optional<bool> is_sampled;
    bool is_trusted = false;  // it comes from one of trusted_proxies
  };

  // `wishes_per_second`: to be granted; at least one can be at a time.
  explicit TraceSampler(double wishes_per_second)
      : rate_(wishes_per_second), most_(std::max(1.0, wishes_per_second)), left_(most_) {}

  // `random`: 64 fresh bits.
  bool is_recorded(Wish wish, double share, std::uint64_t random, Time now) {
    if (wish.is_sampled && wish.is_trusted) {
      return *wish.is_sampled;
    }
    return (wish.is_sampled.value_or(false) && grant(now)) || is_drawn(share, random);
  }

 private:
  bool grant(Time now) {
    if (last_ != Time{}) {
      left_ = std::min(most_, left_ + rate_ * std::chrono::duration<double>(now - last_).count());
    }
    last_ = now;
    if (left_ < 1) {
      return false;
    }
    left_ -= 1;
    return true;
  }

  // 53 bits are what a double holds: 1 is always, 0 is never.
  static bool is_drawn(double share, std::uint64_t random) {
    return static_cast<double>(random >> 11U) < share * static_cast<double>(std::uint64_t{1} << 53U);
  }

  double rate_, most_, left_;
  Time last_{};
};

}  // namespace keygate::proxy
