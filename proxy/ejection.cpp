#include "proxy/ejection.hpp"

#include <algorithm>

namespace keygate::proxy {

bool Ejection::note_failure(Time now) {
  failures_ = std::min(failures_ + 1, failures_before);
  const bool is_told_late = is_out(now) && !is_on_trial_;  // it was tried before it was put out
  if (failures_ < failures_before || is_told_late) {
    return false;
  }
  const unsigned doublings = std::min(times_, 5U);
  until_ = now + std::min<std::chrono::seconds>(first_time * (1U << doublings), longest_time);
  is_on_trial_ = false;
  return ++times_ == 1;
}

bool Ejection::note_success() {
  const bool was_out = times_ > 0;
  failures_ = times_ = 0;
  is_on_trial_ = false;
  return was_out;
}

void Ejection::begin_trial(Time now, std::chrono::milliseconds most) {
  if (times_ > 0 && !is_out(now)) {
    is_on_trial_ = true;
    until_ = now + most;
  }
}

}  // namespace keygate::proxy
