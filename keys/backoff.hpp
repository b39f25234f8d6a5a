// How long to wait before the next try: twice as long each time, and no two processes in step. Pure: the randomness is
// passed in.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace keygate::keys {

// `length` less or more by up to a quarter; `random` is in [0, 1).
inline std::chrono::milliseconds jittered(std::chrono::milliseconds length, double random) {
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(static_cast<double>(length.count()) * (0.75 + random / 2)));
}

class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds most) : first_(first), most_(most), step_(first) {}

  std::chrono::milliseconds next(double random) {
    const auto wait = jittered(step_, random);
    step_ = std::min(2 * step_, most_);
    return wait;
  }

  void reset() { step_ = first_; }

 private:
  std::chrono::milliseconds first_, most_, step_;
};

}  // namespace keygate::keys
