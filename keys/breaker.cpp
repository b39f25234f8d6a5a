#include "keys/breaker.hpp"

namespace keygate::keys {

bool Breaker::may_ask(Time now) {
  if (state_ == State::closed) return true;
  if (now < until_) return false;
  state_ = State::half_open;
  until_ = now + settings_.open_for;
  return true;
}

void Breaker::succeed(Time now) {
  // An answer to what was asked before it opened is no sign of health.
  if (state_ == State::open) return;
  if (state_ == State::half_open) reset();
  failures_ = 0;
  note(now, false);
}

void Breaker::fail(Failure failure, Time now, std::chrono::milliseconds jitter) {
  if (state_ == State::open) return;
  ++failures_;
  note(now, failure == Failure::timeout);
  if (state_ == State::half_open || failures_ >= settings_.failures_in_a_row || has_too_many_timeouts(now)) {
    open(now, jitter);
  }
}

void Breaker::open(Time now, std::chrono::milliseconds jitter) {
  if (state_ == State::open) return;
  state_ = State::open;
  until_ = now + settings_.open_for + jitter;
}

void Breaker::reset() {
  state_ = State::closed;
  failures_ = 0;
  slices_ = {};
}

void Breaker::note(Time now, bool is_timeout) {
  const std::int64_t number = now.time_since_epoch() / slice_length;
  Slice& slice = slices_[static_cast<std::size_t>(number) % slices_.size()];
  if (slice.number != number) slice = {number, 0, 0};
  ++slice.asked;
  slice.timeouts += is_timeout ? 1 : 0;
}

bool Breaker::has_too_many_timeouts(Time now) const {
  const std::int64_t newest = now.time_since_epoch() / slice_length;
  const auto count = static_cast<std::int64_t>(slices_.size());
  unsigned asked = 0, timeouts = 0;
  for (const Slice& slice : slices_) {
    if (slice.number <= newest - count) continue;
    asked += slice.asked;
    timeouts += slice.timeouts;
  }
  return asked >= settings_.least_asked && timeouts * 100 > asked * settings_.timeouts_percent;
}

}  // namespace keygate::keys
