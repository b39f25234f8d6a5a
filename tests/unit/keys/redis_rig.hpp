// What the tests of Redis' clients share: settings for a server, and an io_context that is run until something is true.
#pragma once

#include "keys/redis_link.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/redis.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace keygate::keys {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Runs `io` until `fact` is true; whether it came true in time.
template <class Fact>
bool run_until(net::io_context& io, Fact fact, std::chrono::milliseconds limit = test::patience) {
  const auto deadline = Clock::now() + limit;
  while (!fact()) {
    if (Clock::now() >= deadline) return false;
    io.restart();
    io.run_one_for(5ms);
  }
  return true;
}

inline RedisLinkSettings settings_for(std::uint16_t port) {
  RedisLinkSettings settings;
  settings.redis.address.host = "127.0.0.1";
  settings.redis.address.port = port;
  settings.redis.timeout = 2s;  // of tests that are not about lateness, on a machine with much else to do
  return settings;
}

// A link, and commands that are waited for.
class LinkRig {
 public:
  explicit LinkRig(const RedisLinkSettings& settings) : link_(std::in_place, io_, settings) {}

  net::io_context& io() { return io_; }
  RedisLink& link() { return *link_; }
  void drop_link() { link_.reset(); }

  bool connects() {
    return run_until(io_, [this] { return link_->is_ready(); });
  }

  // What comes of one command: its text, its number, "(nil)", "(error) …", or what the link says of it.
  std::string ask(const std::vector<std::string>& words, RedisPurpose purpose = RedisPurpose::read) {
    std::optional<std::string> heard;
    link_->send({words.begin(), words.end()}, purpose,
                [&heard](const Result<RedisReply>& reply) { heard = said(reply); });
    EXPECT_FALSE(heard) << "never before send() returns";
    EXPECT_TRUE(run_until(io_, [&heard] { return heard.has_value(); }));
    return heard.value_or("nothing");
  }

  static std::string said(const Result<RedisReply>& reply) {
    if (reply.has_error()) return reply.error().message();
    switch (reply->type) {
      case RedisReply::Type::nil:
        return "(nil)";
      case RedisReply::Type::integer:
        return std::to_string(reply->integer);
      case RedisReply::Type::error:
        return "(error) " + reply->text;
      case RedisReply::Type::array:
        return "an array of " + std::to_string(reply->elements.size());
      case RedisReply::Type::status:
      case RedisReply::Type::string:
        return reply->text;
    }
    return "";
  }

 private:
  net::io_context io_{1};
  std::optional<RedisLink> link_;
};

inline constexpr const char* unavailable = "the key source is unavailable";
inline constexpr const char* timed_out = "the key source did not answer in time";
inline constexpr const char* overloaded = "too many look-ups are waiting for the key source";

}  // namespace keygate::keys
