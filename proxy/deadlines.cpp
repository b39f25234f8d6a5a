#include "proxy/deadlines.hpp"

#include <algorithm>

namespace keygate::proxy {
namespace {

std::uint64_t to_ticks(std::chrono::steady_clock::time_point time) {
  return static_cast<std::uint64_t>(time.time_since_epoch() / DeadlineWheel::tick);
}

}  // namespace

void DeadlineWheel::arm(Deadline& deadline, std::chrono::milliseconds after) {
  deadline.unlink();
  // Rounded up, and one tick more because the current one has begun already.
  const auto whole = std::max(after, std::chrono::milliseconds(0)) + tick - std::chrono::milliseconds(1);
  deadline.tick_ = now_ + static_cast<std::uint64_t>(whole / tick) + 1;
  slots_[deadline.tick_ % slot_count].push_back(deadline);
}

void DeadlineWheel::run_slot(std::uint64_t tick_number) {
  List& slot = slots_[tick_number % slot_count];
  List due;
  due.splice(due.end(), slot);
  while (!due.empty()) {
    Deadline& deadline = due.front();
    due.pop_front();
    if (deadline.tick_ > tick_number) {
      slot.push_back(deadline);  // a later turn's
    } else {
      deadline.on_passed_(deadline.owner_);
    }
  }
}

void DeadlineWheel::advance(std::chrono::steady_clock::time_point now) {
  const std::uint64_t target = to_ticks(now);
  if (target <= now_) {
    return;
  }
  // Stood still for over a turn: each slot once is enough.
  std::uint64_t at = target - now_ > slot_count ? target - slot_count : now_;
  now_ = target;  // before anything is called: what a callback arms counts from here, not from the tick it stood in
  while (at < target) {
    run_slot(++at);
  }
}

void DeadlineWheel::start_at(std::chrono::steady_clock::time_point now) { advance(now); }

}  // namespace keygate::proxy
