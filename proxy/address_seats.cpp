#include "proxy/address_seats.hpp"

namespace keygate::proxy {

bool AddressSeats::take(const Address& address, std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::size_t& taken = taken_[asker_of(address)];
  if (taken >= most) {
    return false;
  }
  ++taken;
  return true;
}

void AddressSeats::give_back(const Address& address) {
  const std::lock_guard lock(mutex_);
  const auto found = taken_.find(asker_of(address));
  if (--found->second == 0) {
    taken_.erase(found);
  }
}

AddressSeat::~AddressSeat() {
  if (seats_ != nullptr) {
    seats_->give_back(address_);
  }
}

bool AddressSeat::take(AddressSeats& seats, const Address& address, std::size_t most) {
  if (!seats.take(address, most)) {
    return false;
  }
  seats_ = &seats;
  address_ = address;
  return true;
}

}  // namespace keygate::proxy
