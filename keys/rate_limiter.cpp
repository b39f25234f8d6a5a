#include "keys/rate_limiter.hpp"

#include "keys/source.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace keygate::keys {

namespace {

using Clock = std::chrono::steady_clock;
using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;

std::int64_t unix_micros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// After "not in Redis: ".
std::string why_not(const Result<RedisReply>& reply) {
  if (reply.has_value()) return "it answers \"" + reply->text + '"';
  if (reply.error() == errc::timed_out) return "it did not answer in time";
  return reply.error() == errc::overloaded ? "too much waits for it already" : "it cannot be reached";
}

}  // namespace

// One request under way; its coroutine owns it.
struct RateLimiter::Asked {
  explicit Asked(net::io_context& io) : timer(io) {}
  Timer timer;
  std::optional<Result<RedisReply>> reply;
};

RateLimiter::RateLimiter(net::io_context& io, Parts parts) : io_(io), parts_(std::move(parts)) {}

RateLimiter::~RateLimiter() {
  if (is_alone_) parts_.table->add_alone(-1);
}

bool RateLimiter::asks() const { return parts_.link != nullptr && parts_.link->takes_writes(); }

Awaitable<LimitVerdict> RateLimiter::spend(LimitUses uses) {
  const auto asked = std::make_shared<Asked>(io_);
  std::vector<std::string> names;
  for (const LimitUse& use : uses) names.push_back(limit_name(parts_.name_space, use.counter));
  RedisLink::Done done = [waiting = std::weak_ptr(asked)](const Result<RedisReply>& reply) {
    const auto who = waiting.lock();
    if (!who) return;
    who->reply = reply;
    who->timer.cancel();
  };
  // Never answered before this waits, and always within the link's own limit.
  asked->timer.expires_at(Clock::time_point::max());
  parts_.link->evaluate(limit_script(), names, limit_arguments(uses), std::move(done));
  co_await asked->timer.async_wait(use_tuple);

  const bool has_reply = asked->reply && asked->reply->has_value();
  std::optional<LimitAnswer> answer;
  if (has_reply) answer = read_limit_answer(**asked->reply, uses.size());
  if (!answer) {
    turn(true, asked->reply ? why_not(*asked->reply) : "it does not answer");
    co_return spend_here(uses);
  }
  turn(false, {});
  parts_.table->set_clock(answer->now, Clock::now());
  parts_.table->learn(uses, answer->counts, answer->now);
  ++counters_.in_redis;
  counters_.refused += answer->has_passed ? 0 : 1;
  co_return verdict_of(uses, answer->counts, answer->has_passed, answer->now);
}

LimitVerdict RateLimiter::spend_here(const LimitUses& uses) {
  if (!asks()) turn(true, parts_.link == nullptr ? "there is no resolution.redis" : "it takes no writes");
  const auto now = parts_.table->clock(Clock::now());
  const LimitVerdict verdict = parts_.table->spend(uses, now ? *now : unix_micros());
  ++counters_.in_process;
  counters_.refused += verdict.has_passed ? 0 : 1;
  return verdict;
}

// One line for the process, however many workers find out.
void RateLimiter::turn(bool is_alone, std::string_view why) {
  if (is_alone == is_alone_) return;
  is_alone_ = is_alone;
  const int alone = parts_.table->add_alone(is_alone ? 1 : -1);
  if (is_alone && alone == 1) {
    telemetry::log(parts_.link == nullptr ? telemetry::Level::info : telemetry::Level::warn,
                   "rate limits: counted by this process alone, not in Redis: " + std::string(why));
  } else if (!is_alone && alone == 0) {
    telemetry::log(telemetry::Level::info, "rate limits: counted in Redis again, for all proxies together");
  }
}

}  // namespace keygate::keys
