#include "keys/store_upkeep.hpp"

#include "telemetry/log.hpp"

#include <utility>

namespace keygate::keys {
namespace {

constexpr std::size_t changes_per_read = 1000;
constexpr std::chrono::milliseconds read_interval{250};
constexpr std::chrono::milliseconds write_interval{1'000};
constexpr std::chrono::minutes prune_interval{10};

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

StoreUpkeep::StoreUpkeep(Store& store, std::int64_t position, OnChanges on_changes)
    : store_(store),
      position_(position),
      on_changes_(std::move(on_changes)),
      next_read_(Clock::now()),
      next_write_(next_read_ + write_interval),
      next_prune_(next_read_ + prune_interval) {}

void StoreUpkeep::run() {
  if (Clock::now() >= next_read_) {
    read_changes();
    next_read_ = Clock::now() + read_interval;
  }
  if (Clock::now() >= next_write_) {
    write_uses();
    next_write_ = Clock::now() + write_interval;
  }
  if (Clock::now() >= next_prune_) {
    const std::int64_t kept_from = unix_now() - std::chrono::seconds(Store::kept_changes).count();
    static_cast<void>(store_.prune_changes(kept_from, Store::pruned_at_once));  // else the next time
    next_prune_ = Clock::now() + prune_interval;
  }
}

void StoreUpkeep::read_changes() {
  for (bool may_be_more = true; may_be_more;) {
    const auto changes = store_.changes_after(position_, changes_per_read);
    if (changes.has_error()) {
      telemetry::log_seldom(telemetry::Level::warn, "change_log",
                            "the key store's change log cannot be read, so revocations wait for the staleness bound: " +
                                changes.error().message());
      return;
    }
    if (changes->empty()) return;
    on_changes_(*changes);
    position_ = changes->back().position;
    may_be_more = changes->size() == changes_per_read;
  }
}

void StoreUpkeep::write_uses() {
  std::vector<KeyUse> noted = uses_.take();
  if (noted.empty() || store_.note_uses(noted).has_value()) return;
  uses_.give_back(std::move(noted));  // most likely another process was writing: next time
}

}  // namespace keygate::keys
