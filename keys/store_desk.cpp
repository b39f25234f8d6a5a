#include "keys/store_desk.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace keygate::keys {

namespace {

constexpr std::chrono::seconds answer_limit{2};

}  // namespace

StoreDesk::StoreDesk(net::io_context& io) : io_(io), timer_(std::in_place, io.get_executor()) {}

std::uint64_t StoreDesk::wait_for(Source::Done done) {
  waiting_.emplace(++last_ticket_, Waiting{std::move(done), Clock::now() + answer_limit});
  watch_the_clock();
  return last_ticket_;
}

void StoreDesk::close() {
  const std::lock_guard lock(open_mutex_);
  is_open_ = false;
  waiting_.clear();
  timer_.reset();  // here, where the io_context is known to be there: the last reference may end on another thread
}

void StoreDesk::answer(std::uint64_t ticket, Result<Found> found) {
  // The lock is held while posting, so that close() returns only when nobody is about to.
  const std::lock_guard lock(open_mutex_);
  if (!is_open_) return;
  net::post(io_, [desk = shared_from_this(), ticket, result = std::move(found)]() mutable {
    desk->finish(ticket, std::move(result));
  });
}

void StoreDesk::finish(std::uint64_t ticket, Result<Found> found) {
  const auto there = waiting_.find(ticket);
  if (there == waiting_.end()) return;
  const Source::Done done = std::move(there->second.done);
  waiting_.erase(there);
  if (waiting_.empty()) stop_watching();
  done(std::move(found));
}

// One timer for all: it runs while anything waits, so that an idle worker's io_context can come to its end, and is not
// moved when the first in line is answered.
void StoreDesk::watch_the_clock() {
  if (is_watching_ || waiting_.empty() || !timer_) return;
  is_watching_ = true;
  timer_->expires_at(waiting_.begin()->second.deadline);
  timer_->async_wait([desk = weak_from_this()](error_code failed) {
    const auto self = desk.lock();
    if (!self || failed) return;
    self->is_watching_ = false;
    self->give_up_on_late_ones();
  });
}

void StoreDesk::stop_watching() {
  if (timer_) timer_->cancel();
  is_watching_ = false;
}

void StoreDesk::give_up_on_late_ones() {
  while (!waiting_.empty() && waiting_.begin()->second.deadline <= Clock::now()) {
    finish(waiting_.begin()->first, make_error_code(errc::timed_out));
  }
  watch_the_clock();
}

}  // namespace keygate::keys
