#include "keys/host_addresses.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/basic_resolver.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace keygate::keys {

namespace {

using Tcp = net::ip::tcp;
constexpr std::chrono::seconds life{30};
constexpr std::chrono::seconds doubtful_life{1};

}  // namespace

HostAddresses::HostAddresses(net::io_context& io, std::string host, std::uint16_t port)
    : io_(io), host_(std::move(host)), port_(port) {
  error_code is_name;
  const auto address = net::ip::make_address(host_, is_name);
  if (is_name) return;
  is_numeric_ = true;
  addresses_.emplace_back(address, port_);
}

Awaitable<error_code> HostAddresses::wait(std::shared_ptr<HostAddresses> self, Clock::time_point limit) {
  self->refresh();
  if (!self->addresses_.empty()) co_return error_code{};
  const auto timer = std::make_shared<Timer>(self->io_, limit);
  self->waiting_.push_back(timer);
  co_await timer->async_wait(use_tuple);
  std::erase(self->waiting_, timer);
  if (!self->addresses_.empty()) co_return error_code{};
  if (self->last_error_) co_return self->last_error_;
  co_return error_code(net::error::host_not_found_try_again);
}

void HostAddresses::prefer(const Endpoint& good) {
  const auto there = std::ranges::find(addresses_, good);
  if (there != addresses_.end()) std::rotate(addresses_.begin(), there, there + 1);
}

void HostAddresses::doubt() { ask_again_at_ = std::min(ask_again_at_, asked_at_ + doubtful_life); }

void HostAddresses::refresh() {
  const auto now = Clock::now();
  const bool is_fresh = !addresses_.empty() && now < ask_again_at_;
  if (is_numeric_ || is_resolving_ || is_fresh) return;
  is_resolving_ = true;
  asked_at_ = now;
  ask_again_at_ = now + life;
  net::co_spawn(io_, resolve(shared_from_this()), [](const std::exception_ptr&) {});
}

Awaitable<void> HostAddresses::resolve(std::shared_ptr<HostAddresses> self) {
  net::ip::basic_resolver<Tcp, Executor> resolver(self->io_);
  const std::string port = std::to_string(self->port_);
  const auto [error, found] = co_await resolver.async_resolve(self->host_, port, use_tuple);
  self->is_resolving_ = false;
  self->last_error_ = error;
  if (!error) {
    self->addresses_.clear();
    for (const auto& entry : found) self->addresses_.push_back(entry.endpoint());
  }
  for (const auto& timer : std::exchange(self->waiting_, {})) timer->cancel();
}

}  // namespace keygate::keys
