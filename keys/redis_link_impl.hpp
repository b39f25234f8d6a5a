// The parts of a RedisLink: the connection that it keeps up (redis_link_connect.cpp), and the commands that wait for
// answers (redis_link.cpp).
#pragma once

#include "keys/backoff.hpp"
#include "keys/redis_link.hpp"
#include "keys/source.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <random>
#include <string>
#include <vector>

namespace keygate::keys {

class RedisLink::Impl : public std::enable_shared_from_this<RedisLink::Impl> {
 public:
  Impl(net::io_context& io, const RedisLinkSettings& settings);

  void start();
  void stop();  // nothing is called any more
  void apply(const RedisLinkSettings& settings);

  void submit(std::string bytes, std::size_t replies, RedisPurpose purpose, AllDone done);
  void evaluate(const RedisScript& script, const std::vector<std::string>& keys,
                const std::vector<std::string>& arguments, Done done);

  bool takes_writes() const { return Clock::now() >= read_only_until_; }
  bool is_ready() const { return is_ready_ && breaker_.state() == Breaker::State::closed; }

  RedisCounters counters;
  RedisHealth health;
  const Breaker& breaker() const { return breaker_; }

 private:
  using Clock = std::chrono::steady_clock;
  using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;

  // Commands of one write, until all of their replies are there.
  struct Exchange {
    std::string bytes;  // until they are sent
    std::size_t expected = 1;
    RedisPurpose purpose = RedisPurpose::read;
    AllDone done;
    Clock::time_point deadline;
    std::vector<RedisReply> replies{};
  };

  // redis_link.cpp: commands
  error_code refusal(std::size_t size);
  void refuse(AllDone done, error_code error);
  void dispatch(Exchange exchange);
  void on_reply(RedisReply reply);
  void judge(const Exchange& exchange);
  void judge_fault(const RedisReply& reply, RedisPurpose purpose);
  void fail(std::deque<Exchange> exchanges, error_code error);
  void watch_the_clock();
  void give_up_on_late_ones();

  // redis_link_connect.cpp: the connection
  void connect();
  void on_ready();
  void on_end(const RedisEnd& end);
  void lose(const RedisEnd& end);
  void reconnect_later(RedisEnd::Cause cause);
  void reconnect_once_idle();
  void reconnect_if_idle();
  void on_read_only();

  double random() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  std::chrono::milliseconds jitter();

  net::io_context& io_;
  std::shared_ptr<const RedisEndpoint> endpoint_;
  std::chrono::milliseconds timeout_;

  std::shared_ptr<RedisConnection> connection_;
  bool is_ready_ = false;
  Clock::time_point ready_at_ = Clock::now();  // when it was last
  bool may_queue_ = true;    // while connecting: not after a failure, when nobody knows whether it will work
  bool is_leaving_ = false;  // connects anew once all that is in flight is answered
  bool is_stopped_ = false;
  Clock::time_point read_only_until_{};

  std::deque<Exchange> waiting_;    // for the connection to be ready
  std::deque<Exchange> in_flight_;  // sent; answered in this order
  std::size_t waiting_bytes_ = 0;

  Breaker breaker_;
  Backoff backoff_;
  std::minstd_rand random_;
  Timer retry_;     // of connecting
  Timer lateness_;  // of whatever is due first
  bool is_watching_ = false;
};

}  // namespace keygate::keys
