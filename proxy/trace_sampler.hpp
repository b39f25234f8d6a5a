// Is this exchange's trace recorded? A parent that is believed says it for us. Anybody else may only wish for it.
// Either way a few a second are granted, and beyond them our own dice decide, so that nobody can have every request of
// theirs recorded, and nobody but a parent that is believed none. Pure: time and randomness are passed in.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace keygate::proxy {

// Of one process; its workers share them.
inline constexpr double granted_wishes_per_second = 10;
inline constexpr double granted_words_per_second = 100;  // of parents that are believed

class TraceSampler {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // What the client's traceparent says, where it sent one.
  struct Wish {
    std::optional<bool> is_sampled;
    bool is_trusted = false;  // tracing.trust_parent, and it comes from one of trusted_proxies
  };

  struct Rates {
    double wishes = 0, words = 0;  // a second; at least one of each can be granted at a time
  };

  explicit TraceSampler(Rates rates) : wishes_(rates.wishes), words_(rates.words) {}

  // `random`: 64 fresh bits.
  bool is_recorded(Wish wish, double share, std::uint64_t random, Time now) {
    if (wish.is_trusted && wish.is_sampled == false) {
      return false;
    }
    Allowance& allowance = wish.is_trusted ? words_ : wishes_;
    return (wish.is_sampled.value_or(false) && allowance.grant(now)) || is_drawn(share, random);
  }

 private:
  class Allowance {
   public:
    explicit Allowance(double rate) : rate_(rate), most_(std::max(1.0, rate)), left_(most_) {}

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

   private:
    double rate_, most_, left_;
    Time last_{};
  };

  // 53 bits are what a double holds: 1 is always, 0 is never.
  static bool is_drawn(double share, std::uint64_t random) {
    return static_cast<double>(random >> 11U) < share * static_cast<double>(std::uint64_t{1} << 53U);
  }

  Allowance wishes_, words_;
};

}  // namespace keygate::proxy
