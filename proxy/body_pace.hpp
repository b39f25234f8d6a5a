// Whether a request's body comes fast enough. Only the time in which the client is waited for counts: an upstream that
// takes nothing for a while is not its fault. Pure; one for each upload.
#pragma once

#include "config/settings.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace keygate::proxy {

class BodyPace {
 public:
  using Micros = std::chrono::microseconds;
  // A body may be this far behind limits.body_min_rate: what it gets to begin with, and at most again. Less where
  // limits.body_idle_timeout is.
  static constexpr std::chrono::milliseconds most_grace{10'000};

  explicit BodyPace(const config::LimitSettings& limits)
      : limits_(limits), grace_(std::min(most_grace, limits.body_idle_timeout)), credit_(grace_) {}

  // How long the next piece may be waited for.
  std::chrono::milliseconds longest_wait() const {
    if (limits_.request_timeout.count() == 0) {
      return limits_.body_idle_timeout;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(limits_.request_timeout - waited_);
    return std::clamp(left, std::chrono::milliseconds(0), limits_.body_idle_timeout);
  }

  // `size` bytes came after `waited`. False: too slowly. A body that stands still is longest_wait's matter: it may be
  // waited for longer than the grace, if what comes then makes up for it.
  bool note(std::uint64_t size, Micros waited) {
    waited_ += waited;
    if (limits_.body_min_rate == 0) {
      return true;
    }
    const auto earned = std::min<std::uint64_t>(size, limits_.body_min_rate * 3600) * 1'000'000 / limits_.body_min_rate;
    credit_ = std::min<Micros>(credit_ - waited + Micros(earned), grace_);
    return credit_.count() >= 0;
  }

 private:
  const config::LimitSettings& limits_;
  const Micros grace_;
  Micros credit_;
  Micros waited_{0};
};

}  // namespace keygate::proxy
