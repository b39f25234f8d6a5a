// Which addresses a name has, and for how long that is believed. Pure: time is passed in, and who asks is
// proxy/endpoint.
#pragma once

#include "proxy/sockets.hpp"

#include <chrono>
#include <cstddef>
#include <vector>

namespace keygate::proxy {

class AddressBook {
 public:
  static constexpr std::chrono::seconds life{30};  // then it is asked again, while these serve
  // While nobody can be asked the last good ones serve this long. Then they may have become somebody else's.
  static constexpr std::chrono::hours max_stale{1};

  AddressBook() = default;
  // They never change: a numeric address, a unix socket.
  explicit AddressBook(StreamEndpoint fixed) : all_{std::move(fixed)}, is_fixed_(true) {}

  bool is_fixed() const { return is_fixed_; }
  bool is_due(SteadyClock::time_point now) const;

  // It is asked now. Until it is settled it is not due.
  void begin(SteadyClock::time_point now);
  // An answer; empty: there was none. True: an address that was there is there no more.
  bool settle(SteadyClock::time_point now, const std::vector<StreamEndpoint>& found);

  const std::vector<StreamEndpoint>& all() const { return all_; }
  bool contains(const StreamEndpoint& address) const;

  // Each in turn; there is one.
  const StreamEndpoint& next() { return all_[turn_++ % all_.size()]; }

 private:
  std::vector<StreamEndpoint> all_;
  bool is_fixed_ = false, is_asking_ = false;
  SteadyClock::time_point asked_at_{}, good_at_{};
  std::size_t turn_ = 0;
};

}  // namespace keygate::proxy
