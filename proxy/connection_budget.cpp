#include "proxy/connection_budget.hpp"

#include "proxy/upstream_connection.hpp"

#include <algorithm>

namespace keygate::proxy {

ConnectionSlot& ConnectionSlot::operator=(ConnectionSlot&& other) noexcept {
  if (this != &other) {
    ConnectionSlot gone(std::move(*this));
    budget_ = std::exchange(other.budget_, nullptr);
  }
  return *this;
}

ConnectionSlot::~ConnectionSlot() {
  if (budget_ != nullptr) {
    budget_->release();
  }
}

ConnectionBudget::Given::Given() = default;
ConnectionBudget::Given::~Given() = default;
ConnectionBudget::Given::Given(Given&& other) noexcept = default;
ConnectionBudget::Given& ConnectionBudget::Given::operator=(Given&& other) noexcept = default;

ConnectionBudget::ConnectionBudget(std::size_t most) : most_(most) {}

std::size_t ConnectionBudget::share(std::size_t most, std::size_t index, std::size_t workers) {
  return std::max<std::size_t>(1, most / workers + (index < most % workers ? 1 : 0));
}

ConnectionSlot ConnectionBudget::take() {
  if (taken_ >= most_ || !queue_.empty()) {
    return {};
  }
  ++taken_;
  return ConnectionSlot(*this);
}

// A slot never lies free while somebody waits: it goes from hand to hand.
void ConnectionBudget::release() {
  if (queue_.empty()) {
    --taken_;
    return;
  }
  pop().given.slot = ConnectionSlot(*this);
}

void ConnectionBudget::hand_over(std::unique_ptr<UpstreamConnection> connection) {
  pop().given.connection = std::move(connection);
}

ConnectionBudget::Waiter::~Waiter() { leave(); }

void ConnectionBudget::Waiter::leave() {
  if (is_linked()) {
    queue.erase(queue.iterator_to(*this));
  }
}

ConnectionBudget::Waiter& ConnectionBudget::pop() {
  Waiter& first = queue_.front();
  queue_.pop_front();
  first.timer.cancel();
  return first;
}

Awaitable<ConnectionBudget::Given> ConnectionBudget::wait(net::io_context& io, std::chrono::milliseconds most_time,
                                                          SteadyTimer*& cancel) {
  Waiter waiter(io, queue_);
  if (queue_.size() >= most_) {
    co_return std::move(waiter.given);
  }
  queue_.push_back(waiter);
  waiter.timer.expires_after(most_time);
  cancel = &waiter.timer;
  co_await waiter.timer.async_wait(use_tuple);
  cancel = nullptr;
  waiter.leave();
  co_return std::move(waiter.given);
}

}  // namespace keygate::proxy
