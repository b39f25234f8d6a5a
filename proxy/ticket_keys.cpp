#include "proxy/ticket_keys.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>

namespace keygate::proxy {
namespace {

template <std::size_t size>
bool fill(std::array<unsigned char, size>& bytes) {
  return RAND_priv_bytes(bytes.data(), static_cast<int>(size)) == 1;
}

}  // namespace

TicketKey::~TicketKey() {
  OPENSSL_cleanse(cipher.data(), cipher.size());
  OPENSSL_cleanse(mac.data(), mac.size());
}

std::optional<TicketKey> TicketKeys::to_seal_with(SteadyClock::time_point now) {
  const std::lock_guard lock(mutex_);
  forget(now);
  if (keys_.empty() || now - keys_.front().made >= sealing_time) {
    Held made{{}, now};
    if (!fill(made.key.name) || !fill(made.key.cipher) || !fill(made.key.mac)) {
      return std::nullopt;
    }
    keys_.push_front(made);
  }
  return keys_.front().key;
}

std::optional<TicketKeys::Opening> TicketKeys::to_open_with(std::span<const unsigned char, 16> name,
                                                            SteadyClock::time_point now) {
  const std::lock_guard lock(mutex_);
  forget(now);
  const auto found = std::find_if(keys_.begin(), keys_.end(),
                                  [&](const Held& held) { return std::ranges::equal(held.key.name, name); });
  if (found == keys_.end()) {
    return std::nullopt;
  }
  return Opening{found->key, now - found->made < sealing_time};
}

void TicketKeys::forget_old(SteadyClock::time_point now) {
  const std::lock_guard lock(mutex_);
  forget(now);
}

void TicketKeys::forget_all() {
  const std::lock_guard lock(mutex_);
  keys_.clear();
}

void TicketKeys::forget(SteadyClock::time_point now) {
  while (!keys_.empty() && now - keys_.back().made >= sealing_time + ticket_time) {
    keys_.pop_back();
  }
}

}  // namespace keygate::proxy
