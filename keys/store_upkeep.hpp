// What a store needs from whoever has it open: its change log read, uses written down, old lines of the log dropped,
// each now and then. Used by the threads that have a store, each on its own.
#pragma once

#include "keys/noted_uses.hpp"
#include "keys/store.hpp"

#include <chrono>
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
  Clock::time_point due() const { return next_read_; }
  // Where the log cannot be read, the position stands, and the next time makes up for it.
  void read_changes();
  void write_uses();

  NotedUses& uses() { return uses_; }  // of any thread

 private:
  Store& store_;
  std::int64_t position_;
  const OnChanges on_changes_;
  NotedUses uses_;
  Clock::time_point next_read_, next_write_, next_prune_;
};

}  // namespace keygate::keys
