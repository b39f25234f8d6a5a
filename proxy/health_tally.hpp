// When checks have failed, or gone well, often enough in a row for another verdict. Pure.
#pragma once

#include <optional>

namespace keygate::proxy {

class HealthTally {
 public:
  // Healthy at first. Both numbers are 1 or more.
  HealthTally(unsigned unhealthy_after, unsigned healthy_after)
      : unhealthy_after_(unhealthy_after), healthy_after_(healthy_after) {}

  // The new verdict where this check changes it: true is sick.
  std::optional<bool> note(bool is_good) {
    against_ = is_good == is_sick_ ? against_ + 1 : 0;
    if (against_ < (is_sick_ ? healthy_after_ : unhealthy_after_)) {
      return std::nullopt;
    }
    against_ = 0;
    is_sick_ = !is_sick_;
    return is_sick_;
  }

 private:
  unsigned unhealthy_after_, healthy_after_;
  unsigned against_ = 0;  // checks in a row that speak against the verdict
  bool is_sick_ = false;
};

}  // namespace keygate::proxy
