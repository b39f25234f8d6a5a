#include "keys/redis_subscription.hpp"

#include "keys/backoff.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

namespace keygate::keys {

namespace {

using Clock = std::chrono::steady_clock;
using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;
using Cause = RedisEnd::Cause;
using std::chrono::milliseconds;

// A PING goes out each second, and has until the next one to be answered.
constexpr milliseconds heartbeat{1'000};
constexpr milliseconds first_wait{50}, longest_wait{1'400}, wait_for_somebody{1'000};

}  // namespace

class RedisSubscription::Impl : public std::enable_shared_from_this<RedisSubscription::Impl> {
 public:
  Impl(net::io_context& io, const RedisLinkSettings& settings, std::string channel, Events events)
      : io_(io),
        endpoint_(std::make_shared<RedisEndpoint>(settings)),
        channel_(std::move(channel)),
        events_(std::move(events)),
        backoff_(first_wait, longest_wait),
        random_(std::random_device{}()),
        retry_(io),
        heartbeat_(io) {}

  void connect();
  void stop();
  void apply(const RedisLinkSettings& settings);
  bool is_up() const { return is_up_; }

  RedisSubscriptionCounters counters;

 private:
  void on_ready();
  void on_reply(const RedisReply& reply);
  void on_push(const std::vector<RedisReply>& parts);
  void on_end(const RedisEnd& end);
  void lose(const RedisEnd& end);
  void beat();
  void go_up();
  void go_down(const std::string& why);

  net::io_context& io_;
  std::shared_ptr<const RedisEndpoint> endpoint_;
  const std::string channel_;
  const Events events_;
  std::shared_ptr<RedisConnection> connection_;
  Backoff backoff_;
  std::minstd_rand random_;
  Timer retry_;
  Timer heartbeat_;
  bool is_up_ = false;
  Clock::time_point up_at_ = Clock::now();  // when it last came up
  bool is_awaited_ = false;                 // a sign of life since the last heartbeat
  bool is_stopped_ = false;
};

RedisSubscription::RedisSubscription(net::io_context& io, const RedisLinkSettings& settings, std::string channel,
                                     Events events)
    : impl_(std::make_shared<Impl>(io, settings, std::move(channel), std::move(events))) {
  impl_->connect();
}

RedisSubscription::~RedisSubscription() { impl_->stop(); }

bool RedisSubscription::is_up() const { return impl_->is_up(); }
void RedisSubscription::apply(const RedisLinkSettings& settings) { impl_->apply(settings); }
const RedisSubscriptionCounters& RedisSubscription::counters() const { return impl_->counters; }

void RedisSubscription::Impl::connect() {
  const auto tell = [weak = weak_from_this()](auto what) {
    return [weak, what](auto&&... arguments) {
      const auto self = weak.lock();
      if (self && !self->is_stopped_) what(*self, std::forward<decltype(arguments)>(arguments)...);
    };
  };
  connection_ = RedisConnection::open(io_, endpoint_,
                                      {tell([](Impl& self) { self.on_ready(); }),
                                       tell([](Impl& self, const RedisReply& reply) { self.on_reply(reply); }),
                                       tell([](Impl& self, const RedisEnd& end) { self.on_end(end); })});
}

void RedisSubscription::Impl::stop() {
  is_stopped_ = true;
  if (connection_) connection_->close();
  retry_.cancel();
  heartbeat_.cancel();
}

void RedisSubscription::Impl::on_ready() {
  connection_->send(encode_command({"SUBSCRIBE", channel_}));
  is_awaited_ = true;
  heartbeat_.expires_after(heartbeat);
  beat();
}

// Two seconds at most from a Redis that stands still to on_down: one to the next PING, one for its answer.
void RedisSubscription::Impl::beat() {
  heartbeat_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (!self || cancelled || self->is_stopped_ || !self->connection_) return;
    if (self->is_awaited_) return self->lose({Cause::timed_out, "no sign of life for a second"});
    self->is_awaited_ = true;
    self->connection_->send(encode_command({"PING"}));
    self->heartbeat_.expires_after(heartbeat);
    self->beat();
  });
}

// subscribe, message and pong come as arrays; anything else is no answer of a connection that has subscribed.
void RedisSubscription::Impl::on_reply(const RedisReply& reply) {
  if (reply.is_error()) {
    const RedisFault fault = fault_of(reply.text);
    return lose({fault == RedisFault::not_ready ? Cause::not_ready : Cause::denied, "it says " + reply.text});
  }
  if (reply.type != RedisReply::Type::array || reply.elements.empty()) {
    return lose({Cause::protocol, "a reply that nobody asked for"});
  }
  is_awaited_ = false;
  on_push(reply.elements);
}

void RedisSubscription::Impl::on_push(const std::vector<RedisReply>& parts) {
  const std::string& kind = parts.front().text;
  if (kind == "subscribe") return go_up();
  if (kind != "message" || parts.size() != 3 || !is_up_) return;
  const auto digest = digest_from_hex(parts.back().text);
  ++(digest ? counters.messages : counters.unfit_messages);
  if (digest) events_.on_message(*digest);
}

void RedisSubscription::Impl::go_up() {
  if (is_up_) return;
  is_up_ = true;
  up_at_ = Clock::now();
  telemetry::log_seldom(telemetry::Level::info, "redis_subscription_up",
                        "redis " + endpoint_->shown + ": hears of revoked keys");
  events_.on_up();
}

void RedisSubscription::Impl::go_down(const std::string& why) {
  telemetry::log_seldom(telemetry::Level::warn, "redis_subscription_down",
                        "redis " + endpoint_->shown +
                            ": does not hear of revoked keys, so that records are asked for anew after 5 s (" + why +
                            ")");
  if (!is_up_) return;
  is_up_ = false;
  ++counters.losses;
  events_.on_down();
}

void RedisSubscription::Impl::on_end(const RedisEnd& end) {
  connection_.reset();
  heartbeat_.cancel();
  if (Clock::now() - up_at_ > longest_wait) backoff_.reset();
  milliseconds wait = backoff_.next(std::uniform_real_distribution<double>(0, 1)(random_));
  if (end.cause == Cause::not_ready || end.cause == Cause::denied) wait = std::max(wait, wait_for_somebody);
  retry_.expires_after(wait);
  retry_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (self && !cancelled && !self->is_stopped_ && !self->connection_) self->connect();
  });
  go_down(end.detail);
}

void RedisSubscription::Impl::lose(const RedisEnd& end) {
  if (connection_) connection_->close();
  on_end(end);
}

void RedisSubscription::Impl::apply(const RedisLinkSettings& settings) {
  const auto before = std::exchange(endpoint_, std::make_shared<RedisEndpoint>(settings));
  if (is_up_ && before->is_same(*endpoint_)) return;
  if (connection_) connection_->close();
  connection_.reset();
  heartbeat_.cancel();
  retry_.cancel();
  backoff_.reset();
  // Not from within this call: whoever applies settings is not told of a loss in the middle of it.
  net::post(io_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->is_stopped_ || self->connection_) return;
    if (self->is_up_) self->go_down("its settings have changed");
    self->connect();
  });
}

}  // namespace keygate::keys
