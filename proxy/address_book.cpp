#include "proxy/address_book.hpp"

#include <algorithm>

namespace keygate::proxy {

bool AddressBook::is_due(SteadyClock::time_point now) const {
  return !is_fixed_ && !is_asking_ && (all_.empty() || now - asked_at_ >= life);
}

void AddressBook::begin(SteadyClock::time_point now) {
  is_asking_ = true;
  asked_at_ = now;
}

bool AddressBook::settle(SteadyClock::time_point now, const std::vector<StreamEndpoint>& found) {
  is_asking_ = false;
  if (found.empty()) {
    if (all_.empty() || now - good_at_ < max_stale) {
      return false;
    }
    all_.clear();
    return true;
  }
  good_at_ = now;
  const bool has_lost = std::any_of(all_.begin(), all_.end(), [&](const StreamEndpoint& known) {
    return std::find(found.begin(), found.end(), known) == found.end();
  });
  all_ = found;
  return has_lost;
}

bool AddressBook::contains(const StreamEndpoint& address) const {
  return std::find(all_.begin(), all_.end(), address) != all_.end();
}

}  // namespace keygate::proxy
