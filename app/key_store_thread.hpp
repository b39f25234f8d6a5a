// The key server's store on threads of its own, so that no connection waits for a disk: one does what changes the
// store, in order, and looks after it; the other verifies keys by a connection of its own, so that whoever manages keys
// delays nobody who uses one. Made by app/key_server.
#pragma once

#include "keys/asio.hpp"
#include "keys/noted_uses.hpp"
#include "keys/store.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace keygate::app {

// Who waits behind whom.
enum class StoreLane : std::uint8_t {
  verify,  // reads only; what this process has written is there to be read once it was answered
  manage,
};

class KeyStoreThread {
 public:
  using Work = std::function<void(keys::Store&)>;
  using OnChanges = std::function<void(const std::vector<keys::Store::Change>&)>;  // called on the store's thread

  // Opens or makes the store at `path` (store_errc where that fails) and starts both threads. `on_changes` hears of
  // every change that any process makes, within 250 ms and the time of what is being done, and first of those of the
  // last `replayed`: while nobody was there to hear of them, nobody was told. Uses are written once a second.
  static Result<std::unique_ptr<KeyStoreThread>> start(const std::string& path, std::chrono::seconds replayed,
                                                       OnChanges on_changes);
  ~KeyStoreThread();  // does what still waits, writes uses, joins

  // false: 1024 wait in that lane already, and this will not be done. Any thread.
  bool add(StoreLane lane, Work work);
  keys::NotedUses& uses();

 private:
  struct Impl;
  explicit KeyStoreThread(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace keygate::app
