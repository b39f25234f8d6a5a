// What a store needs from whoever has it open: its change log read, uses written down, old lines of the log dropped,
// each now and then. Used by the threads that have a store, each on its own.
#pragma once

#include "keys/noted_uses.hpp"
#include "keys/store.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace keygate::keys {

class StoreUpkeep {
 public:
  using Clock = std::chrono::steady_clock;
  using OnChanges = std::function<void(const std::vector<Store::Change>&)>;

  // `position`: of the last change of which `on_changes` need not hear.
  StoreUpkeep(Store& store, std::int64_t position, OnChanges on_changes);

  // What is due by now.
  void run();
  // When there is something to do again, 250 ms later at most.
  Clock::time_point due() const { return std::min(next_read_, next_write_); }
  // Where the log cannot be read, the position stands, and the next time makes up for it.
  void read_changes();
  enum class Written : std::uint8_t { piece, last_piece, failed };
  // Uses in the order of their keys' digests, so that those of one piece lie side by side in the file; `at_once` of
  // them, as look-ups and changes wait behind it. The last piece ends what had been noted when the first was taken.
  Written write_some_uses();
  // At the end: all there are, as far as a second goes, also where another process is writing just then.
  void write_uses();

  static constexpr std::size_t at_once = 500;

  NotedUses& uses() { return uses_; }  // of any thread

 private:
  Store& store_;
  std::int64_t position_;
  const OnChanges on_changes_;
  NotedUses uses_;
  std::vector<KeyUse> unwritten_;  // taken from there, the last first
  Clock::time_point next_read_, next_write_, next_prune_;
};

}  // namespace keygate::keys
