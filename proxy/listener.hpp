// A worker's share of one listening address: takes connections in and starts their sessions.
#pragma once

#include "config/settings.hpp"
#include "proxy/door.hpp"
#include "proxy/listening_socket.hpp"
#include "proxy/worker.hpp"

#include <memory>

namespace keygate::proxy {

// Accepts on the worker's thread until stopped.
// What `settings` ask for, with the certificates of `snapshot`; null: nothing.
std::shared_ptr<const Door> door_of(const Snapshot& snapshot, const config::ListenerSettings& settings);

class Listener {
 public:
  Listener(Worker& worker, const config::ListenerSettings& settings, ListeningSocket opened);
  ~Listener();

  // How clients are met from now on, as a reload says. Where that is not how they were, those who are here leave: idle
  // ones now, others when they have been answered.
  void meet_by(std::shared_ptr<const Door> door);

  // As a reload says that takes it away: those who are here leave, idle ones now and others when they have been
  // answered. What they were told by it, they would go on being told.
  void leave();

  // Takes what already waits in the queue, then closes: nobody who was let in by the kernel is turned away.
  void stop();

 private:
  struct State;
  static Awaitable<void> accept_all(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace keygate::proxy
