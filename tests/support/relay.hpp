// A TCP relay between two processes that does to them what networks do: holds bytes up, loses them, spoils them, ends
// connections. Replies are what the target says; requests are never spoiled, or it would answer another question.
#pragma once

#include "tests/support/socket.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <random>
#include <string>
#include <thread>

namespace keygate::test {

class Relay {
 public:
  explicit Relay(std::uint16_t target);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  std::uint16_t port() const { return listening_.port; }
  void aim_at(std::uint16_t target);  // where connections go from now on

  // Each of these takes the place of the one before; connections stand unless it says otherwise.
  void let_through();                             // at once; what was held goes first
  void cut();                                     // ends all connections, and each new one
  void freeze();                                  // nothing passes either way, and connections are taken
  void hold_replies();                            // requests pass
  void delay(std::chrono::milliseconds most);     // each piece of a reply, by up to that, in their order
  void garble();                                  // one reply in three has a byte that belongs nowhere, or breaks off
  void cut_once();                                // ends all connections; whatever was chosen before goes on
  void refuse_who_says(const std::string& word);  // ends connections on which it is sent; all else is let through

  std::size_t held_bytes() const { return held_bytes_; }  // of replies
  std::size_t connections() const { return accepted_; }   // so far

 private:
  using Clock = std::chrono::steady_clock;
  enum class Way : std::uint8_t { through, cut, frozen, held, delayed, garbled };
  struct Order {
    Way way = Way::through;
    std::chrono::milliseconds most{0};
    std::string refused{};
  };
  struct Piece {
    Clock::time_point due;
    std::string bytes;
  };
  struct Pair {
    Socket client, server;
    std::deque<Piece> held{};
    bool is_over = false;
  };

  void follow(Order order);
  void serve();
  void turn(const Order& order);
  void pass_request(Pair& pair, const Order& order) const;
  void take_reply(Pair& pair, const Order& order);
  void release(Pair& pair, const Order& order);
  void accept_one(const Order& order);

  mutable std::mutex mutex_;
  Order order_;
  std::atomic<std::uint16_t> target_;
  std::atomic<bool> is_cut_wanted_ = false, is_stopped_ = false;
  std::atomic<std::size_t> held_bytes_ = 0, accepted_ = 0;
  Listening listening_ = listen_on_loopback();
  std::list<Pair> pairs_;
  std::minstd_rand random_{4711};
  std::thread thread_;
};

}  // namespace keygate::test
