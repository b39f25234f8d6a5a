// The embedded store on a thread of its own, so that no worker ever waits for a disk: answers look-ups, reads the
// change log each 250 ms, and writes back last use in batches. Made by app/server, one a process.
#pragma once

#include "keys/source.hpp"
#include "keys/store.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::keys {

class StoreThread {
 public:
  using OnChange = std::function<void(const std::vector<KeyDigest>&)>;  // called on the store's thread

  // Opens the store at `path` (store_errc where that fails) and starts the thread. `on_change` hears of every digest
  // that any process changed after the start, within 250 ms plus the time of a read; if more changes wait than one read
  // takes, it goes on at once.
  static Result<std::unique_ptr<StoreThread>> start(const std::string& path, OnChange on_change);
  ~StoreThread();  // stops and joins; look-ups still waiting end with errc::unavailable

  // A Source for one worker; its `done` is posted to `io`. At most 1024 look-ups wait over all workers:
  // errc::overloaded beyond. A look-up that has not been answered within 2 s ends with errc::timed_out. Must not
  // outlive this, nor `io`: look-ups that still wait when the source goes are dropped.
  std::unique_ptr<Source> source_for(net::io_context& io);

  // Notes that a key was used now, for something that required `scopes` (one blank between two); written at most once a
  // second, and lost on a crash. Any thread.
  void note_use(const KeyDigest& digest, std::int64_t unix_seconds, std::string_view scopes = {});

 private:
  struct Impl;
  explicit StoreThread(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace keygate::keys
