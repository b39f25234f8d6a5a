// What follows a switch of protocols: bytes both ways between a client and an upstream, untouched and never gathered,
// until both sides have said that they are done or one breaks. Made and run by exchange, which goes on afterwards.
#pragma once

#include "config/settings.hpp"
#include "proxy/buffers.hpp"
#include "proxy/client.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/stream.hpp"
#include "proxy/upstream.hpp"

#include <cstddef>
#include <cstdint>

namespace keygate::proxy {

class Tunnel {
 public:
  // At most so much is on its way in each direction; a tunnel in which nothing is said holds no buffer.
  static constexpr std::size_t most_in_flight = 64 * 1024;

  enum class End : std::uint8_t { whole, client_broke, upstream_broke };

  // From here to the end of its life, what cuts the client cuts the upstream, and a client that has closed its side has
  // not left.
  Tunnel(Client& client, UpstreamConnection& upstream, const config::LimitSettings& limits);
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  // Begins with what the client has sent already. Ends when nothing works on either side any more. Where a limit has
  // passed the client was cut, which says why.
  Awaitable<End> run();

  std::uint64_t bytes_up() const { return up_.bytes; }
  std::uint64_t bytes_down() const { return down_.bytes; }
  bool has_client_finished() const { return up_.result == Result::done; }  // sending

 private:
  enum class Result : std::uint8_t { running, done, source_broke, sink_broke };
  struct Direction {
    Stream& source;
    Stream& sink;
    std::uint64_t bytes = 0;
    Result result = Result::running;
  };

  Awaitable<void> carry_up();
  Awaitable<void> carry(Direction& direction);
  Awaitable<void> run_down();
  bool is_over() const { return is_broken_off_ || client_.has_left; }
  void break_off(End why);
  void on_idle();

  Client& client_;
  UpstreamConnection& upstream_;
  const config::LimitSettings& limits_;
  Direction up_, down_;
  bool is_up_running_ = false;
  bool is_broken_off_ = false;
  End end_ = End::whole;
  unsigned writes_ = 0;             // under way
  std::uint64_t acknowledged_ = 0;  // by both, when it was last looked
  Deadline idle_, age_;
  SteadyTimer up_ended_;
};

}  // namespace keygate::proxy
