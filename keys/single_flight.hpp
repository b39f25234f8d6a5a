// One look-up for all who ask for a digest at the same time: those who wait, and the flight they wait for.
// Used by the resolver only, on the worker's thread.
#pragma once

#include "keys/asio.hpp"
#include "keys/memory_cache.hpp"
#include "keys/secret.hpp"
#include "keys/source.hpp"
#include "keys/unknown_key_budget.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

namespace keygate::keys {

using Resolved = Result<std::shared_ptr<const Record>>;

// One who waits, with a deadline of its own. Lives in its coroutine's frame: when that is destroyed, it leaves the
// flight.
class Waiter : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Waiter(net::io_context& io, SteadyTime deadline);

  // What wake() brings, or errc::timed_out. Throws operation_aborted where the awaiting coroutine is cancelled.
  Awaitable<Resolved> wait();

  void wake(const Resolved& outcome);

 private:
  using Clock = std::chrono::steady_clock;
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> timer_;
  std::optional<Resolved> outcome_;
};

// One look-up under way. Nobody who waits owns it; all of them may leave and it goes on.
class Flight {
 public:
  Flight(const KeyDigest& digest, SecretView secret);
  ~Flight();  // whoever still waits hears errc::unavailable
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  void join(Waiter& waiter) { waiters_.push_back(waiter); }
  void land(const Resolved& outcome);
  bool is_awaited() const { return !waiters_.empty(); }

  const KeyDigest digest;
  const std::shared_ptr<const Secret> secret;
  std::size_t source = 0;                               // which is being asked
  bool may_fill = true;                                 // what is found out may be written to the shared cache
  SteadyTime asked_at{};                                // just before it was
  bool is_outdated = false;                             // the key changed since
  bool is_cache_readable = false;                       // the shared cache has answered
  std::optional<std::chrono::milliseconds> cache_time;  // on its clock, no later than `cache_heard_at`; none: no fill
  SteadyTime cache_heard_at{};
  unsigned repeats = 0;  // how often that made an answer worthless

  std::optional<AskerAddress> asker;  // of the first who joined; none: it counts against no budget
  policy::Environment prefix_environment = policy::Environment::none;
  bool has_turn = false;         // who knows the keys may be asked
  bool is_in_slow_lane = false;  // and somebody may wait for it to land

 private:
  boost::intrusive::list<Waiter, boost::intrusive::constant_time_size<false>> waiters_;
};

}  // namespace keygate::keys
