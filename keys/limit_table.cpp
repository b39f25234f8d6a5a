#include "keys/limit_table.hpp"

#include <boost/container/static_vector.hpp>

#include <algorithm>
#include <vector>

namespace keygate::keys {

namespace {

using policy::Count;

std::int64_t micros_of(std::chrono::steady_clock::time_point at) {
  return std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
}

// Of two that were counted at the same: what lets through less.
Count more_spent(const Count& a, const Count& b) {
  if (a.mark != b.mark) return a.mark > b.mark ? a : b;
  return a.used > b.used ? a : b;
}

}  // namespace

LimitVerdict verdict_of(std::span<const LimitUse> uses, const Counts& counts, bool has_passed, std::int64_t now) {
  LimitVerdict verdict{has_passed, {}};
  for (std::size_t i = 0; i < uses.size(); ++i) {
    auto standing = policy::standing_of(uses[i].limit, counts[i], now);
    // Who has just passed is not told to wait; who has not waits a moment at least.
    if (has_passed) standing.retry_after = 0;
    if (i == 0 || policy::is_tighter(standing, verdict.standing)) verdict.standing = standing;
  }
  if (!has_passed) verdict.standing.retry_after = std::max<std::int64_t>(verdict.standing.retry_after, 1);
  return verdict;
}

// In the order of the shards, so that two requests never wait for each other.
class LimitTable::Locks {
 public:
  Locks(LimitTable& table, std::span<const LimitUse> uses) {
    for (const LimitUse& use : uses) held_.push_back(&table.shard_of(use.counter));
    std::ranges::sort(held_);
    held_.erase(std::unique(held_.begin(), held_.end()), held_.end());
    for (Shard* const shard : held_) shard->mutex.lock();
  }
  ~Locks() {
    for (Shard* const shard : held_) shard->mutex.unlock();
  }
  Locks(const Locks&) = delete;
  Locks& operator=(const Locks&) = delete;

 private:
  boost::container::static_vector<Shard*, policy::most_limits + 1> held_;
};

LimitTable::LimitTable(std::size_t capacity) : shard_capacity_(std::max<std::size_t>(capacity / shards, 2)) {}

LimitVerdict LimitTable::spend(std::span<const LimitUse> uses, std::int64_t now) {
  const Locks locks(*this, uses);
  Counts counts;
  bool has_room = true;
  for (const LimitUse& use : uses) {
    const auto& entries = shard_of(use.counter).entries;
    const auto found = entries.find(use.counter);
    counts.push_back(policy::current(use.limit, found == entries.end() ? Count{} : found->second.count, now));
    has_room = has_room && policy::has_room(use.limit, counts.back(), now);
  }
  if (has_room) {
    for (std::size_t i = 0; i < uses.size(); ++i) {
      counts[i] = policy::after_one(uses[i].limit, counts[i], now);
      keep(uses[i], counts[i], now);
    }
  }
  return verdict_of(uses, counts, has_room, now);
}

void LimitTable::learn(std::span<const LimitUse> uses, const Counts& counts, std::int64_t now) {
  const Locks locks(*this, uses);
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const auto& entries = shard_of(uses[i].counter).entries;
    const auto found = entries.find(uses[i].counter);
    const Count known = found == entries.end() ? Count{} : policy::current(uses[i].limit, found->second.count, now);
    keep(uses[i], found == entries.end() ? counts[i] : more_spent(known, counts[i]), now);
  }
}

// With the shard locked.
void LimitTable::keep(const LimitUse& use, const Count& count, std::int64_t now) {
  Shard& shard = shard_of(use.counter);
  if (const auto found = shard.entries.find(use.counter); found != shard.entries.end()) {
    found->second = {use.limit, count};
    return;
  }
  if (shard.entries.size() >= shard_capacity_) make_room(shard, now);
  shard.entries.emplace(use.counter, Entry{use.limit, count});
}

// An eighth at a time, so that a flood of addresses costs each of them little.
void LimitTable::make_room(Shard& shard, std::int64_t now) const {
  boost::unordered::erase_if(shard.entries, [now](const auto& entry) {
    return policy::is_over_at(entry.second.limit, entry.second.count) <= now;
  });
  const std::size_t most = shard_capacity_ - std::max<std::size_t>(shard_capacity_ / 8, 1);
  if (shard.entries.size() <= most) return;
  std::size_t surplus = shard.entries.size() - most;
  std::vector<std::int64_t> spent;
  spent.reserve(shard.entries.size());
  const auto share = [now](const auto& entry) {
    return policy::share_spent(entry.second.limit, entry.second.count, now);
  };
  for (const auto& entry : shard.entries) spent.push_back(share(entry));
  const auto limit = spent.begin() + static_cast<std::ptrdiff_t>(surplus - 1);
  std::ranges::nth_element(spent, limit);
  boost::unordered::erase_if(shard.entries, [&](const auto& entry) {
    const bool goes = surplus > 0 && share(entry) <= *limit;
    surplus -= goes ? 1 : 0;
    return goes;
  });
}

std::size_t LimitTable::size() const {
  std::size_t all = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    all += shard.entries.size();
  }
  return all;
}

void LimitTable::set_clock(std::int64_t redis_now, std::chrono::steady_clock::time_point at) {
  clock_offset_.store(redis_now - micros_of(at), std::memory_order_relaxed);
}

std::optional<std::int64_t> LimitTable::clock(std::chrono::steady_clock::time_point at) const {
  const std::int64_t offset = clock_offset_.load(std::memory_order_relaxed);
  return offset == never ? std::nullopt : std::optional(micros_of(at) + offset);
}

}  // namespace keygate::keys
