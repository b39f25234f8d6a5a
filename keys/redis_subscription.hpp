// Hears of keys that were revoked or changed, on a connection of its own, and knows within two seconds when it no
// longer does. Used by the resolver, on the worker's thread.
#pragma once

#include "keys/asio.hpp"
#include "keys/digest.hpp"
#include "keys/redis_connection.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace keygate::keys {

struct RedisSubscriptionCounters {
  std::uint64_t messages = 0;
  std::uint64_t unfit_messages = 0;  // no digest
  std::uint64_t losses = 0;          // of a subscription that was up
};

class RedisSubscription {
 public:
  struct Events {
    std::function<void(const KeyDigest&)> on_message;
    std::function<void()> on_up;    // from now on nothing is missed; what was published before may have been
    std::function<void()> on_down;  // after each on_up at most once: messages are being missed
  };

  // Starts to connect, and goes on trying. Events come from `io`, never from within this call, and none after the end.
  RedisSubscription(net::io_context& io, const RedisLinkSettings& settings, std::string channel, Events events);
  ~RedisSubscription();
  RedisSubscription(const RedisSubscription&) = delete;
  RedisSubscription& operator=(const RedisSubscription&) = delete;

  bool is_up() const;
  // New settings, a new password perhaps: connects anew; down and up again where it was up.
  void apply(const RedisLinkSettings& settings);

  const RedisSubscriptionCounters& counters() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace keygate::keys
