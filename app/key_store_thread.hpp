// The key server's store on a thread of its own, so that no connection waits for a disk: does what it is given in
// order, reads the change log each 250 ms, writes uses once a second and drops what is old. Made by app/key_server.
#pragma once

#include "keys/asio.hpp"
#include "keys/noted_uses.hpp"
#include "keys/store.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace keygate::app {

class KeyStoreThread {
 public:
  using Work = std::function<void(keys::Store&)>;
  using OnChanges = std::function<void(const std::vector<keys::Store::Change>&)>;  // called on the store's thread

  // Opens or makes the store at `path` (store_errc where that fails) and starts the thread. `on_changes` hears of every
  // change that any process makes, and first of those of the last `replayed`: while nobody was there to hear of them,
  // nobody was told.
  static Result<std::unique_ptr<KeyStoreThread>> start(const std::string& path, std::chrono::seconds replayed,
                                                       OnChanges on_changes);
  ~KeyStoreThread();  // does what still waits, writes uses, joins

  // false: 1024 wait already, and this will not be done. Any thread.
  bool add(Work work);
  keys::NotedUses& uses();

 private:
  struct Impl;
  explicit KeyStoreThread(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace keygate::app
