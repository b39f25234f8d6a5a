#include "keys/unknown_key_budget.hpp"

#include <algorithm>

namespace keygate::keys {
namespace {

constexpr std::chrono::nanoseconds one_second = std::chrono::seconds(1);
constexpr std::size_t least_sweep = 1'024;

}  // namespace

UnknownKeyBudget::UnknownKeyBudget(const config::BudgetSettings& settings, std::size_t workers)
    : workers_(std::max<std::size_t>(workers, 1)) {
  apply(settings);
}

void UnknownKeyBudget::apply(const config::BudgetSettings& settings) {
  per_address_ = share(settings.per_address, workers_);
  total_ = share(settings.total, workers_);
}

// At least one a second each: a share of less would be none.
UnknownKeyBudget::Rate UnknownKeyBudget::share(std::uint64_t per_second, std::size_t workers) {
  if (per_second == 0) return {};
  return {one_second / std::max<std::uint64_t>(per_second / workers, 1)};
}

bool UnknownKeyBudget::Rate::is_spent(SteadyTime full_at, SteadyTime now) const {
  return interval.count() > 0 && full_at + interval > now + one_second;
}

// No debt beyond one second: what was spent in the slow lane does not lock anybody into it for long.
SteadyTime UnknownKeyBudget::Rate::after_spending(SteadyTime full_at, SteadyTime now) const {
  return std::min(std::max(full_at, now) + interval, now + one_second + interval);
}

void UnknownKeyBudget::spend(const AskerAddress& asker, SteadyTime now) {
  total_full_at_ = total_.after_spending(total_full_at_, now);
  if (per_address_.interval.count() == 0 && total_.interval.count() == 0) return;
  // Without a limit of its own, an address still is one that has spent of everybody's.
  const Rate& own = per_address_.interval.count() > 0 ? per_address_ : total_;
  SteadyTime& full_at = full_at_[asker];
  full_at = own.after_spending(full_at, now);
  if (full_at_.size() >= sweep_at_) forget_the_replenished(now);
}

// At most as many entries stay as keys were answered within two seconds.
void UnknownKeyBudget::forget_the_replenished(SteadyTime now) {
  boost::unordered::erase_if(full_at_, [now](const auto& entry) { return entry.second <= now; });
  sweep_at_ = std::max(least_sweep, 2 * full_at_.size());
}

bool UnknownKeyBudget::is_spent(const AskerAddress& asker, SteadyTime now) const {
  const auto found = full_at_.find(asker);
  if (found == full_at_.end() || found->second <= now) return false;
  return per_address_.is_spent(found->second, now) || total_.is_spent(total_full_at_, now);
}

}  // namespace keygate::keys
