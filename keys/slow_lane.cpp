#include "keys/slow_lane.hpp"

namespace keygate::keys {

SlowLane::Turn SlowLane::enter(const AskerAddress& asker, const std::shared_ptr<Flight>& flight) {
  Lane& lane = lanes_[asker];
  if (lane.in_flight < max_in_flight) {
    ++lane.in_flight;
    return Turn::now;
  }
  if (lane.waiting.size() >= max_waiting) return Turn::never;
  lane.waiting.push_back(flight);
  return Turn::later;
}

std::shared_ptr<Flight> SlowLane::leave(const AskerAddress& asker) {
  const auto found = lanes_.find(asker);
  if (found == lanes_.end()) return nullptr;
  Lane& lane = found->second;
  while (!lane.waiting.empty()) {
    auto next = lane.waiting.front().lock();
    lane.waiting.pop_front();
    if (next) return next;
  }
  if (--lane.in_flight == 0) lanes_.erase(found);
  return nullptr;
}

}  // namespace keygate::keys
