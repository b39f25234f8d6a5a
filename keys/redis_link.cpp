#include "keys/redis_link.hpp"

#include "keys/redis_link_impl.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace keygate::keys {

using Cause = RedisEnd::Cause;
using Failure = Breaker::Failure;

RedisLink::RedisLink(net::io_context& io, const RedisLinkSettings& settings)
    : impl_(std::make_shared<Impl>(io, settings)) {
  impl_->start();
}

RedisLink::~RedisLink() { impl_->stop(); }

void RedisLink::send(const RedisWords& command, RedisPurpose purpose, Done done) {
  impl_->submit(encode_command(command), 1, purpose, [done = std::move(done)](Result<std::vector<RedisReply>> replies) {
    if (replies.has_error()) return done(replies.error());
    done(std::move(replies->front()));
  });
}

void RedisLink::send_encoded(std::string commands, std::size_t replies, RedisPurpose purpose, AllDone done) {
  impl_->submit(std::move(commands), replies, purpose, std::move(done));
}

void RedisLink::evaluate(const RedisScript& script, std::string_view key, const std::vector<std::string>& arguments,
                         Done done) {
  impl_->evaluate(script, {std::string(key)}, arguments, std::move(done));
}

void RedisLink::evaluate(const RedisScript& script, const std::vector<std::string>& keys,
                         const std::vector<std::string>& arguments, Done done) {
  impl_->evaluate(script, keys, arguments, std::move(done));
}

bool RedisLink::takes_writes() const { return impl_->takes_writes(); }
bool RedisLink::is_ready() const { return impl_->is_ready(); }
void RedisLink::apply(const RedisLinkSettings& settings) { impl_->apply(settings); }
const RedisCounters& RedisLink::counters() const { return impl_->counters; }
RedisCondition RedisLink::condition() const { return impl_->health.condition(); }
Breaker::State RedisLink::breaker() const { return impl_->breaker().state(); }

void RedisLink::Impl::evaluate(const RedisScript& script, const std::vector<std::string>& keys,
                               const std::vector<std::string>& arguments, Done done) {
  const std::string count = std::to_string(keys.size());
  const auto encoded = [&](std::string_view verb, std::string_view body) {
    RedisWords words{verb, body, count};
    words.insert(words.end(), keys.begin(), keys.end());
    words.insert(words.end(), arguments.begin(), arguments.end());
    return encode_command(words);
  };
  auto hear = [done](Result<std::vector<RedisReply>> replies) {
    if (replies.has_error()) return done(replies.error());
    done(std::move(replies->front()));
  };
  submit(encoded("EVALSHA", script.sha1), 1, RedisPurpose::write,
         [weak = weak_from_this(), hear, with_text = encoded("EVAL", script.text)](auto replies) mutable {
           const auto self = weak.lock();
           const bool is_unknown = replies.has_value() && replies->front().is_error("NOSCRIPT");
           if (!is_unknown || !self) return hear(std::move(replies));
           self->submit(std::move(with_text), 1, RedisPurpose::write, std::move(hear));
         });
}

// Why a command is not taken, or nothing. Asks the breaker last: a yes of its is a promise to report.
error_code RedisLink::Impl::refusal(std::size_t size) {
  const std::size_t unsent = waiting_bytes_ + (connection_ ? connection_->unsent() : 0);
  if (waiting_.size() + in_flight_.size() >= max_commands || unsent + size > max_unsent_bytes) {
    ++counters.overloaded;
    return errc::overloaded;
  }
  if ((is_ready_ || may_queue_) && breaker_.may_ask(Clock::now())) return {};
  ++counters.unavailable;
  return errc::unavailable;
}

void RedisLink::Impl::refuse(AllDone done, error_code error) {
  net::post(io_, [weak = weak_from_this(), done = std::move(done), error] {
    const auto self = weak.lock();
    if (self && !self->is_stopped_) done(error);
  });
}

void RedisLink::Impl::submit(std::string bytes, std::size_t replies, RedisPurpose purpose, AllDone done) {
  if (const error_code refused = refusal(bytes.size())) return refuse(std::move(done), refused);
  ++counters.commands;
  Exchange exchange{std::move(bytes), replies, purpose, std::move(done), Clock::now() + timeout_};
  exchange.replies.reserve(replies);
  dispatch(std::move(exchange));
  watch_the_clock();
}

void RedisLink::Impl::dispatch(Exchange exchange) {
  if (!is_ready_ || is_leaving_) {
    waiting_bytes_ += exchange.bytes.size();
    waiting_.push_back(std::move(exchange));
    return reconnect_if_idle();
  }
  const std::string bytes = std::exchange(exchange.bytes, {});
  in_flight_.push_back(std::move(exchange));
  connection_->send(bytes);
}

void RedisLink::Impl::on_reply(RedisReply reply) {
  if (in_flight_.empty()) return lose({Cause::protocol, "a reply that nobody asked for"});
  Exchange& first = in_flight_.front();
  first.replies.push_back(std::move(reply));
  if (first.replies.size() < first.expected) return;
  Exchange complete = std::move(first);
  in_flight_.pop_front();
  judge(complete);
  complete.done(std::move(complete.replies));
  reconnect_if_idle();
}

void RedisLink::Impl::judge(const Exchange& exchange) {
  const auto wrong = std::ranges::find_if(exchange.replies, [](const RedisReply& reply) { return reply.is_error(); });
  if (wrong != exchange.replies.end() && !wrong->is_error("NOSCRIPT")) return judge_fault(*wrong, exchange.purpose);
  breaker_.succeed(Clock::now());
  const bool is_write_missing =
      health.condition() == RedisCondition::read_only && exchange.purpose == RedisPurpose::read;
  if (breaker_.state() == Breaker::State::closed && !is_write_missing) health.turn(RedisCondition::well);
}

void RedisLink::Impl::judge_fault(const RedisReply& reply, RedisPurpose purpose) {
  const RedisFault fault = fault_of(reply.text);
  ++counters.faults[static_cast<std::size_t>(fault)];
  switch (fault) {
    case RedisFault::not_ready:
      breaker_.fail(Failure::other, Clock::now(), jitter());
      return health.turn(RedisCondition::not_ready, reply.text);
    case RedisFault::read_only:
      breaker_.succeed(Clock::now());
      return on_read_only();
    case RedisFault::denied:
      health.turn(RedisCondition::denied, reply.text);
      // A user that may read and not write is of use still.
      if (purpose == RedisPurpose::write) return breaker_.succeed(Clock::now());
      return breaker_.open(Clock::now(), jitter());
    case RedisFault::redirected:
      health.turn(RedisCondition::redirected, reply.text);
      return breaker_.open(Clock::now(), jitter());
    case RedisFault::refused:
    case RedisFault::other:
      return breaker_.succeed(Clock::now());  // this command only
  }
}

void RedisLink::Impl::fail(std::deque<Exchange> exchanges, error_code error) {
  for (Exchange& exchange : exchanges) refuse(std::move(exchange.done), error);
}

// One timer for all of them: each has the same time, so that the oldest is due first.
void RedisLink::Impl::watch_the_clock() {
  if (is_watching_) return;
  auto earliest = Clock::time_point::max();
  if (!waiting_.empty()) earliest = waiting_.front().deadline;
  if (!in_flight_.empty()) earliest = std::min(earliest, in_flight_.front().deadline);
  if (earliest == Clock::time_point::max()) return;
  is_watching_ = true;
  lateness_.expires_at(earliest);
  lateness_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (!self || cancelled || self->is_stopped_) return;
    self->is_watching_ = false;
    self->give_up_on_late_ones();
    self->watch_the_clock();
  });
}

// What was never sent is only given up. What was sent may still be answered, to whoever asks next: its connection ends.
void RedisLink::Impl::give_up_on_late_ones() {
  const auto now = Clock::now();
  std::deque<Exchange> late;
  while (!waiting_.empty() && waiting_.front().deadline <= now) {
    waiting_bytes_ -= waiting_.front().bytes.size();
    late.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  const bool is_connection_late = !in_flight_.empty() && in_flight_.front().deadline <= now;
  while (!in_flight_.empty() && in_flight_.front().deadline <= now) {
    late.push_back(std::move(in_flight_.front()));
    in_flight_.pop_front();
  }
  for (std::size_t i = 0; i < late.size(); ++i) breaker_.fail(Failure::timeout, now, jitter());
  counters.timeouts += late.size();
  fail(std::move(late), errc::timed_out);
  if (is_connection_late) lose({Cause::timed_out, "no answer within " + std::to_string(timeout_.count()) + " ms"});
}

}  // namespace keygate::keys
