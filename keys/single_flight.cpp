#include "keys/single_flight.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace keygate::keys {

Waiter::Waiter(net::io_context& io, SteadyTime deadline) : timer_(io.get_executor(), deadline) {}

Awaitable<Resolved> Waiter::wait() {
  if (!outcome_) {
    const auto [failed] = co_await timer_.async_wait(use_tuple);
    // Woken and timed out at the same moment counts as woken.
    if (!outcome_ && failed) throw boost::system::system_error(net::error::operation_aborted);
  }
  if (!outcome_) co_return make_error_code(errc::timed_out);
  co_return *outcome_;
}

void Waiter::wake(const Resolved& outcome) {
  outcome_ = outcome;
  timer_.cancel();  // resumes the coroutine from the io_context, not from here
}

Flight::Flight(const KeyDigest& key, SecretView text) : digest(key), secret(std::make_shared<const Secret>(text)) {}

Flight::~Flight() { land(make_error_code(errc::unavailable)); }

void Flight::land(const Resolved& outcome) {
  while (!waiters_.empty()) {
    Waiter& waiter = waiters_.front();
    waiters_.pop_front();
    waiter.wake(outcome);
  }
}

}  // namespace keygate::keys
