// Look-ups of those whose budget for unknown keys is spent: a few at a time, a few more in a queue, and no more than
// that. Used by the resolver only, on the worker's thread.
#pragma once

#include "keys/single_flight.hpp"
#include "keys/unknown_key_budget.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <deque>
#include <memory>

namespace keygate::keys {

class SlowLane {
 public:
  static constexpr std::size_t max_in_flight = 4;  // of one address
  static constexpr std::size_t max_waiting = 64;   // likewise

  enum class Turn { now, later, never };

  // now: ask, and leave() once it has landed. later: leave() of somebody else will hand it out. never: refuse it.
  Turn enter(const AskerAddress& asker, const std::shared_ptr<Flight>& flight);

  // One of `asker`'s has landed. Whose turn it is now, if anybody still waits: that one has entered.
  std::shared_ptr<Flight> leave(const AskerAddress& asker);

 private:
  struct Lane {
    std::size_t in_flight = 0;
    std::deque<std::weak_ptr<Flight>> waiting;
  };
  boost::unordered_flat_map<AskerAddress, Lane, AskerHash> lanes_;
};

}  // namespace keygate::keys
