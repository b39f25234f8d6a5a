// A worker's share of one listening address. Every worker has a socket of its own (SO_REUSEPORT); the kernel spreads
// connections.
#pragma once

#include "config/settings.hpp"
#include "proxy/sockets.hpp"
#include "proxy/worker.hpp"

#include <memory>

namespace keygate::proxy {

// Whether the address is free: bound once without SO_REUSEPORT, then let go, so that a second process is told
// (docs/configuration.md).
error_code probe_address(const config::ListenerSettings& settings);

// A socket bound and listening, shared by address with others of this process. Any thread. The descriptor is the
// caller's.
Result<int> open_listener(const config::ListenerSettings& settings);

// Accepts on the worker's thread until stopped.
class Listener {
 public:
  // Takes over `descriptor` from open_listener.
  Listener(Worker& worker, const config::ListenerSettings& settings, int descriptor);
  ~Listener();

  // Takes what already waits in the queue, then closes: nobody who was let in by the kernel is turned away.
  void stop();

 private:
  struct State;
  static Awaitable<void> accept_all(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace keygate::proxy
