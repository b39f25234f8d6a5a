// Whether someone who has failed a lot is asked again: closed (yes), open (no), half open (one, to see). Pure: the time
// and the jitter are passed in. Used by redis_link.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace keygate::keys {

struct BreakerSettings {
  unsigned failures_in_a_row = 5;
  // Over the last second, and only where so many were asked that a share says something.
  unsigned timeouts_percent = 20;
  unsigned least_asked = 20;
  std::chrono::milliseconds open_for{1'000};
};

class Breaker {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class State : std::uint8_t { closed, open, half_open };
  enum class Failure : std::uint8_t { timeout, other };

  explicit Breaker(const BreakerSettings& settings = {}) : settings_(settings) {}

  State state() const { return state_; }

  // Whether to ask now. Who was told yes says what came of it; a half-open breaker waits for that, for `open_for`.
  bool may_ask(Time now);
  void succeed(Time now);
  // `jitter` (it may be negative) is added to the time that an open breaker stays open.
  void fail(Failure failure, Time now, std::chrono::milliseconds jitter);
  // Opens at once: what failed will fail for everyone.
  void open(Time now, std::chrono::milliseconds jitter);
  // As new: whom it is about has changed.
  void reset();

 private:
  struct Slice {
    std::int64_t number = -1;  // since the clock's beginning
    unsigned asked = 0;
    unsigned timeouts = 0;
  };
  static constexpr std::chrono::milliseconds slice_length{100};

  void note(Time now, bool is_timeout);
  bool has_too_many_timeouts(Time now) const;

  BreakerSettings settings_;
  State state_ = State::closed;
  unsigned failures_ = 0;  // in a row
  Time until_{};           // open: when to try; half open: until when the one who tries is waited for
  std::array<Slice, 10> slices_{};
};

}  // namespace keygate::keys
