// May the key service be asked now? A breaker: it opens after five failures in a row, or when the service itself asks
// for time, and closes by trying one, two, four… look-ups at a time (F-26). Pure: `now` is passed in.
// Used by service_source, one each.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace keygate::keys {

class ServiceHealth {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;
  using Permit = std::uint64_t;

  static constexpr unsigned failures_to_open = 5;
  static constexpr unsigned full_width = 64;       // once so many at a time have gone well, it is closed
  static constexpr std::chrono::seconds trial{5};  // or once it has gone well for so long
  static constexpr std::chrono::milliseconds pause{1'000};
  static constexpr std::chrono::seconds longest_wait{30};

  enum class Outcome : std::uint8_t {
    alive,   // the service answered, whatever it said
    failed,  // it did not
    untold   // it was never asked
  };

  // For one look-up, ended by leave; none: it is not to be asked.
  std::optional<Permit> enter(Time now);

  // `jitter`: from -1 to 1, by how much of a fifth the next pause is longer; asked for with each, used where it opens.
  // `wait`: what the service asked for, taken up to 30 s and wherever it is present.
  void leave(Permit permit, Outcome outcome, Time now, double jitter, std::optional<Duration> wait = std::nullopt);

  bool is_down() const { return state_ != State::closed; }
  bool is_trying() const { return state_ == State::trying; }  // down, and asked a little to see
  // Whether it has answered again, so that whoever comes now does well to wait for a permit.
  bool is_recovering() const { return state_ == State::trying && width_ > 1; }
  // Since when it has been; the time it was last down since, where it is not.
  Time down_since() const { return down_since_; }

 private:
  enum class State : std::uint8_t { closed, open, trying };

  void open(Time now, Duration length);
  void count_success();
  void close();

  State state_ = State::closed;
  Permit era_ = 0;  // what was permitted in an earlier one says nothing of this one
  unsigned failures_ = 0;
  Time open_until_{};
  Time down_since_{};
  Time trying_since_{};
  unsigned width_ = 0;   // how many may try at a time
  unsigned trying_ = 0;  // how many do
  unsigned passed_ = 0;  // how many did well at this width
};

}  // namespace keygate::keys
