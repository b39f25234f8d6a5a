// A worker's side of the store's thread: the look-ups that this worker waits for, each until 2 s have passed.
// What is waited for never leaves the worker's thread; only tickets do.
#pragma once

#include "keys/asio.hpp"
#include "keys/source.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace keygate::keys {

class StoreDesk : public std::enable_shared_from_this<StoreDesk> {
 public:
  explicit StoreDesk(net::io_context& io);

  // Worker: `done` will be called from the io_context, once, unless the desk closes first.
  std::uint64_t wait_for(Source::Done done);
  // Worker: no answer comes through any more, and the io_context is not touched again. What still waits is dropped.
  void close();

  // Any thread; nothing where the desk is closed or the look-up has timed out.
  void answer(std::uint64_t ticket, Result<Found> found);

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    Source::Done done;
    Clock::time_point deadline;
  };

  void finish(std::uint64_t ticket, Result<Found> found);
  void watch_the_clock();
  void stop_watching();
  void give_up_on_late_ones();

  net::io_context& io_;
  std::optional<net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>> timer_;
  bool is_watching_ = false;
  std::map<std::uint64_t, Waiting> waiting_;  // by ticket: the one that is due first is first
  std::uint64_t last_ticket_ = 0;

  std::mutex open_mutex_;
  bool is_open_ = true;
};

}  // namespace keygate::keys
