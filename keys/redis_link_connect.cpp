#include "keys/redis_link_impl.hpp"

#include <algorithm>
#include <utility>

namespace keygate::keys {

namespace {

using Cause = RedisEnd::Cause;
using std::chrono::milliseconds;

// Together with the breaker's second, a Redis that is back is in use within three.
constexpr milliseconds first_wait{50}, longest_wait{1'400};
constexpr milliseconds wait_for_somebody{1'000};  // where trying at once cannot help
constexpr milliseconds read_only_for{1'000};

RedisCondition condition_of(Cause cause) {
  switch (cause) {
    case Cause::unreachable:
    case Cause::timed_out:
    case Cause::protocol:
      return RedisCondition::down;
    case Cause::not_ready:
      return RedisCondition::not_ready;
    case Cause::denied:
      return RedisCondition::denied;
  }
  return RedisCondition::down;
}

}  // namespace

RedisLink::Impl::Impl(net::io_context& io, const RedisLinkSettings& settings)
    : health(RedisEndpoint(settings).shown),
      io_(io),
      endpoint_(std::make_shared<RedisEndpoint>(settings)),
      timeout_(settings.redis.timeout),
      backoff_(first_wait, longest_wait),
      random_(std::random_device{}()),
      retry_(io),
      lateness_(io) {}

void RedisLink::Impl::start() { connect(); }

void RedisLink::Impl::stop() {
  is_stopped_ = true;
  if (connection_) connection_->close();
  retry_.cancel();
  lateness_.cancel();
  waiting_.clear();
  in_flight_.clear();
}

milliseconds RedisLink::Impl::jitter() { return jittered(milliseconds(400), random()) - milliseconds(400); }

void RedisLink::Impl::connect() {
  is_ready_ = false;
  is_leaving_ = false;
  // The connection tells its owner of its end; a link that has gone is not told.
  const auto tell = [weak = weak_from_this()](auto what) {
    return [weak, what](auto&&... arguments) {
      const auto self = weak.lock();
      if (self && !self->is_stopped_) what(*self, std::forward<decltype(arguments)>(arguments)...);
    };
  };
  connection_ = RedisConnection::open(io_, endpoint_,
                                      {tell([](Impl& self) { self.on_ready(); }),
                                       tell([](Impl& self, RedisReply reply) { self.on_reply(std::move(reply)); }),
                                       tell([](Impl& self, const RedisEnd& end) { self.on_end(end); })});
}

void RedisLink::Impl::on_ready() {
  ++counters.connections;
  is_ready_ = true;
  ready_at_ = Clock::now();
  may_queue_ = false;
  if (breaker_.state() == Breaker::State::closed && takes_writes()) health.turn(RedisCondition::well);
  waiting_bytes_ = 0;
  // What has little time left would be late, and late answers end the connection for all.
  const auto least = Clock::now() + timeout_ / 2;
  std::deque<Exchange> too_late;
  for (Exchange& exchange : std::exchange(waiting_, {})) {
    if (exchange.deadline < least) {
      too_late.push_back(std::move(exchange));
    } else {
      dispatch(std::move(exchange));
    }
  }
  fail(std::move(too_late), errc::unavailable);
}

void RedisLink::Impl::on_end(const RedisEnd& end) {
  const bool is_new_trouble = is_ready_;
  connection_.reset();
  is_ready_ = is_leaving_ = may_queue_ = false;
  ++counters.disconnections;
  if (end.cause == Cause::protocol) ++counters.protocol_errors;
  health.turn(condition_of(end.cause), end.detail);
  if (is_new_trouble && !in_flight_.empty()) breaker_.fail(Breaker::Failure::other, Clock::now(), jitter());
  fail(std::exchange(in_flight_, {}), errc::unavailable);
  fail(std::exchange(waiting_, {}), errc::unavailable);
  waiting_bytes_ = 0;
  reconnect_later(end.cause);
}

void RedisLink::Impl::lose(const RedisEnd& end) {
  if (connection_) connection_->close();
  on_end(end);
}

void RedisLink::Impl::reconnect_later(Cause cause) {
  // One that held for a while was a good one; one that breaks as soon as it is used is not tried at once again.
  if (Clock::now() - ready_at_ > longest_wait) backoff_.reset();
  milliseconds wait = backoff_.next(random());
  if (cause == Cause::not_ready || cause == Cause::denied) wait = std::max(wait, wait_for_somebody);
  retry_.expires_after(wait);
  retry_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (self && !cancelled && !self->is_stopped_ && !self->connection_) self->connect();
  });
}

// Nothing fails for it: what is in flight is answered first, and what comes meanwhile waits, for a limit of its own.
void RedisLink::Impl::reconnect_once_idle() {
  if (!is_ready_) return;
  is_leaving_ = true;
  may_queue_ = true;
  reconnect_if_idle();
}

void RedisLink::Impl::reconnect_if_idle() {
  if (!is_leaving_ || !in_flight_.empty()) return;
  connection_->close();
  connect();
}

// Most likely another server is the primary now, and a connection made anew finds it.
void RedisLink::Impl::on_read_only() {
  if (!takes_writes()) return;
  read_only_until_ = Clock::now() + read_only_for;
  health.turn(RedisCondition::read_only);
  reconnect_once_idle();
}

void RedisLink::Impl::apply(const RedisLinkSettings& settings) {
  const auto before = std::exchange(endpoint_, std::make_shared<RedisEndpoint>(settings));
  timeout_ = settings.redis.timeout;
  if (is_ready_ && before->is_same(*endpoint_)) return;
  breaker_.reset();
  backoff_.reset();
  if (is_ready_) return reconnect_once_idle();
  retry_.cancel();
  if (connection_) connection_->close();
  may_queue_ = true;
  connect();
}

}  // namespace keygate::keys
