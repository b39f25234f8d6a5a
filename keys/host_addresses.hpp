// Which addresses does this host have? Asked off the worker's thread and anew every 30 s; the last good ones serve
// while that goes on or fails (F-40). Used by http_client.
#pragma once

#include "keys/asio.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace keygate::keys {

class HostAddresses : public std::enable_shared_from_this<HostAddresses> {
 public:
  using Clock = std::chrono::steady_clock;
  using Endpoint = net::ip::tcp::endpoint;

  // `host`: a name, which needs asking, or a numeric address, which does not.
  HostAddresses(net::io_context& io, std::string host, std::uint16_t port);

  // Until there is an address, or `limit`; then why there is none.
  static Awaitable<error_code> wait(std::shared_ptr<HostAddresses> self, Clock::time_point limit);

  // The one that was good last comes first.
  const std::vector<Endpoint>& all() const { return addresses_; }
  void prefer(const Endpoint& good);
  // None of them could be connected to: ask again, at most once a second.
  void doubt();

 private:
  using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;

  void refresh();
  static Awaitable<void> resolve(std::shared_ptr<HostAddresses> self);

  net::io_context& io_;
  const std::string host_;
  const std::uint16_t port_;
  bool is_numeric_ = false;
  bool is_resolving_ = false;
  Clock::time_point asked_at_{};
  Clock::time_point ask_again_at_{};
  error_code last_error_;
  std::vector<Endpoint> addresses_;
  std::vector<std::shared_ptr<Timer>> waiting_;
};

}  // namespace keygate::keys
