#include "app/key_seats.hpp"

namespace keygate::app {

KeySeats::Seat::Seat(std::shared_ptr<Taken> taken, std::string customer)
    : taken_(std::move(taken)), customer_(std::move(customer)) {
  ++taken_->all;
  if (customer_.empty()) return;
  ++taken_->of_customers;
  ++taken_->of_one[customer_];
}

KeySeats::Seat::~Seat() {
  if (!taken_) return;
  --taken_->all;
  if (customer_.empty()) return;
  --taken_->of_customers;
  const auto own = taken_->of_one.find(customer_);
  if (--own->second == 0) taken_->of_one.erase(own);
}

std::optional<KeySeats::Seat> KeySeats::take(const std::string& customer) {
  if (taken_->all >= most) return std::nullopt;
  if (!customer.empty()) {
    const auto own = taken_->of_one.find(customer);
    const std::size_t of_one = own == taken_->of_one.end() ? 0 : own->second;
    if (taken_->of_customers >= most_of_customers || of_one >= most_of_one) return std::nullopt;
  }
  return Seat(taken_, customer);
}

}  // namespace keygate::app
