#include "keys/store_upkeep.hpp"

#include "telemetry/log.hpp"

#include <functional>
#include <iterator>
#include <thread>
#include <utility>

namespace keygate::keys {
namespace {

constexpr std::size_t changes_per_read = 1000;
constexpr std::chrono::milliseconds read_interval{250};
constexpr std::chrono::milliseconds write_interval{1'000};
// However many keys are used, and however slow the disk: this often as long as a write took, nothing is written.
constexpr int rest_after_write = 9;
constexpr std::chrono::seconds longest_rest{30};  // a disk may have stood still once
constexpr std::chrono::seconds last_write_limit{1};
constexpr std::chrono::milliseconds before_another_try{10};
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
    const Clock::time_point begin = Clock::now();
    const Written written = write_some_uses();
    const Clock::time_point end = Clock::now();
    const auto rest = std::min<Clock::duration>((end - begin) * rest_after_write, longest_rest);
    next_write_ = end + (written == Written::piece ? rest : std::max<Clock::duration>(rest, write_interval));
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

StoreUpkeep::Written StoreUpkeep::write_some_uses() {
  if (unwritten_.empty()) {
    unwritten_ = uses_.take();
    std::ranges::sort(unwritten_, std::ranges::greater{}, [](const KeyUse& use) { return use.digest.bytes; });
  }
  const auto first = unwritten_.end() - static_cast<std::ptrdiff_t>(std::min(unwritten_.size(), at_once));
  std::vector<KeyUse> some(std::make_move_iterator(first), std::make_move_iterator(unwritten_.end()));
  unwritten_.erase(first, unwritten_.end());
  if (!some.empty() && store_.note_uses(some).has_error()) {
    uses_.give_back(std::move(some));  // most likely another process was writing: later
    return Written::failed;
  }
  return unwritten_.empty() ? Written::last_piece : Written::piece;
}

void StoreUpkeep::write_uses() {
  const Clock::time_point end = Clock::now() + last_write_limit;
  while (!(unwritten_.empty() && uses_.is_empty()) && Clock::now() < end) {
    if (write_some_uses() == Written::failed) std::this_thread::sleep_for(before_another_try);
  }
}

}  // namespace keygate::keys
