// How many calls that manage keys may be under way, from being read until their answer has been sent: over all, of all
// customers, and of one of them, so that none of them keeps the others out. On the key server's thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace keygate::app {

class KeySeats {
 public:
  static constexpr std::size_t most = 64;               // each may hold an answer of a megabyte
  static constexpr std::size_t most_of_customers = 48;  // proxies and operators have the others to themselves
  static constexpr std::size_t most_of_one = 8;

 private:
  struct Taken {
    std::size_t all = 0, of_customers = 0;
    std::map<std::string, std::size_t> of_one;  // those that have any
  };

 public:
  // Given back when it goes; the seats may go first.
  class Seat {
   public:
    Seat(Seat&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)), customer_(std::move(other.customer_)) {}
    Seat& operator=(Seat&& other) noexcept {
      std::swap(taken_, other.taken_);
      std::swap(customer_, other.customer_);
      return *this;
    }
    ~Seat();

   private:
    friend class KeySeats;
    Seat(std::shared_ptr<Taken> taken, std::string customer);
    std::shared_ptr<Taken> taken_;
    std::string customer_;
  };

  // `customer`: the organization of whom a proxy asks for, or empty. nullopt: there are as many as may be.
  std::optional<Seat> take(const std::string& customer);

 private:
  std::shared_ptr<Taken> taken_ = std::make_shared<Taken>();
};

}  // namespace keygate::app
