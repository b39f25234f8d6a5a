// limits.connections_per_ip: how many connections each address has, over all workers. Taken and given back when a
// connection begins and ends, never for a request.
#pragma once

#include "keys/unknown_key_budget.hpp"
#include "proxy/forwarding.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <mutex>
#include <utility>

namespace keygate::proxy {

// Thread-safe. An IPv6 address counts as its /64.
class AddressSeats {
 public:
  // False: `address` has `most` already.
  bool take(const Address& address, std::size_t most);
  void give_back(const Address& address);

 private:
  std::mutex mutex_;
  boost::unordered_flat_map<keys::AskerAddress, std::size_t, keys::AskerHash> taken_;
};

// One connection's seat, if it has taken one.
class AddressSeat {
 public:
  AddressSeat() = default;
  AddressSeat(AddressSeat&& other) noexcept : seats_(std::exchange(other.seats_, nullptr)), address_(other.address_) {}
  AddressSeat& operator=(AddressSeat&& other) noexcept {
    std::swap(seats_, other.seats_);
    std::swap(address_, other.address_);
    return *this;
  }
  ~AddressSeat();
  AddressSeat(const AddressSeat&) = delete;
  AddressSeat& operator=(const AddressSeat&) = delete;

  bool take(AddressSeats& seats, const Address& address, std::size_t most);

 private:
  AddressSeats* seats_ = nullptr;
  Address address_;
};

}  // namespace keygate::proxy
