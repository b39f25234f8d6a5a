#include "keys/pushed_changes.hpp"

namespace keygate::keys {

void PushedChanges::note(const KeyDigest& digest, SteadyTime now, SteadyTime oldest) {
  while (!in_order_.empty() && in_order_.front().first < oldest) drop_first();
  if (in_order_.size() >= max_kept) {
    forgotten_until_ = in_order_.front().first;
    drop_first();
  }
  at_[digest] = now;
  in_order_.emplace_back(now, digest);
}

// A digest that changed again since stays.
void PushedChanges::drop_first() {
  const auto [time, digest] = in_order_.front();
  in_order_.pop_front();
  const auto found = at_.find(digest);
  if (found != at_.end() && found->second == time) at_.erase(found);
}

bool PushedChanges::has_changed_since(const KeyDigest& digest, SteadyTime since, SteadyTime oldest) const {
  if (in_order_.empty()) return false;
  if (forgotten_until_ >= since && forgotten_until_ >= oldest) return true;
  const auto found = at_.find(digest);
  return found != at_.end() && found->second >= since && found->second >= oldest;
}

}  // namespace keygate::keys
