// With which key is a session ticket sealed, and with which is it opened? A key seals for an hour, opens for two more,
// as long as a ticket is good for, and is then wiped. Shared by all workers.
#pragma once

#include "proxy/sockets.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>

namespace keygate::proxy {

// Wipes itself.
struct TicketKey {
  TicketKey() = default;
  TicketKey(const TicketKey&) = default;
  TicketKey& operator=(const TicketKey&) = default;
  ~TicketKey();

  std::array<unsigned char, 16> name{};  // goes in clear before what it has sealed
  std::array<unsigned char, 32> cipher{};
  std::array<unsigned char, 32> mac{};
};

class TicketKeys {
 public:
  static constexpr std::chrono::hours sealing_time{1};
  static constexpr std::chrono::hours ticket_time{2};

  // nullopt: there is no randomness to make one from.
  std::optional<TicketKey> to_seal_with(SteadyClock::time_point now);

  struct Opening {
    TicketKey key;
    bool is_sealing = false;  // false: another seals by now
  };
  // nullopt: the ticket is too old, or none of ours.
  std::optional<Opening> to_open_with(std::span<const unsigned char, 16> name, SteadyClock::time_point now);

  // Wipes those that open nothing any more; the calls above do so as well.
  void forget_old(SteadyClock::time_point now);
  void forget_all();

 private:
  struct Held {
    TicketKey key;
    SteadyClock::time_point made;
  };
  void forget(SteadyClock::time_point now);

  std::mutex mutex_;
  std::deque<Held> keys_;  // the newest first
};

}  // namespace keygate::proxy
