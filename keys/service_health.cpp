#include "keys/service_health.hpp"

#include <algorithm>

namespace keygate::keys {

std::optional<ServiceHealth::Permit> ServiceHealth::enter(Time now) {
  if (state_ == State::closed) return era_;
  if (state_ == State::open) {
    if (now < open_until_) return std::nullopt;
    state_ = State::trying;
    ++era_;
    trying_since_ = now;
    width_ = 1;
    trying_ = 0;
    passed_ = 0;
  }
  if (is_recovering() && now - trying_since_ >= trial) {
    close();
    return era_;
  }
  if (trying_ >= width_) return std::nullopt;
  ++trying_;
  return era_;
}

void ServiceHealth::leave(Permit permit, Outcome outcome, Time now, double jitter, std::optional<Duration> wait) {
  if (permit != era_ || state_ == State::open) return;
  if (state_ == State::trying) --trying_;
  if (wait) {
    open(now, std::clamp<Duration>(*wait, pause, longest_wait));
    return;
  }
  switch (outcome) {
    case Outcome::untold:
      return;
    case Outcome::alive:
      count_success();
      return;
    case Outcome::failed:
      if (state_ == State::trying || ++failures_ >= failures_to_open) {
        const auto spread = std::chrono::duration<double>(pause) * (1.0 + std::clamp(jitter, -1.0, 1.0) / 5);
        open(now, std::chrono::duration_cast<Duration>(spread));
      }
      return;
  }
}

void ServiceHealth::open(Time now, Duration length) {
  if (state_ == State::closed) down_since_ = now;
  state_ = State::open;
  ++era_;
  failures_ = 0;
  open_until_ = now + length;
}

void ServiceHealth::count_success() {
  failures_ = 0;
  if (state_ != State::trying || ++passed_ < width_) return;
  passed_ = 0;
  width_ *= 2;
  if (width_ > full_width) close();
}

void ServiceHealth::close() {
  state_ = State::closed;
  failures_ = 0;
  ++era_;
}

}  // namespace keygate::keys
