// Deadlines without a timer each: one coarse wheel a worker, so that arming one costs a few pointers and no system
// call. A deadline passes within one tick after its time, never before. Not thread-safe.
#pragma once

#include <boost/intrusive/list.hpp>

#include <array>
#include <chrono>
#include <cstdint>

namespace keygate::proxy {

// Owned by what it guards; destroying it disarms it.
class Deadline : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  using OnPassed = void (*)(void* owner);

  Deadline(void* owner, OnPassed on_passed) : owner_(owner), on_passed_(on_passed) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  bool is_armed() const { return is_linked(); }
  void disarm() { unlink(); }

 private:
  friend class DeadlineWheel;
  void* owner_;
  OnPassed on_passed_;
  std::uint64_t tick_ = 0;
};

class DeadlineWheel {
 public:
  static constexpr std::chrono::milliseconds tick{100};

  // From now on `deadline` passes after `after`, and no longer when it was armed for before.
  void arm(Deadline& deadline, std::chrono::milliseconds after);

  // Time has reached `now`: calls what has passed, which may arm and disarm anything. Cost: the deadlines in the slots
  // gone by.
  void advance(std::chrono::steady_clock::time_point now);

  // Sets the wheel's idea of the time where it has not been advanced for a while because nothing was armed.
  void start_at(std::chrono::steady_clock::time_point now);

 private:
  using List = boost::intrusive::list<Deadline, boost::intrusive::constant_time_size<false>>;
  static constexpr std::size_t slot_count = 512;  // 51.2 s a turn; longer deadlines stay for more turns

  void run_slot(std::uint64_t tick_number);

  std::array<List, slot_count> slots_;
  std::uint64_t now_ = 0;  // in ticks
};

}  // namespace keygate::proxy
