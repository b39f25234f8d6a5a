#include "proxy/exchange.hpp"
#include "proxy/limiting.hpp"

namespace keygate::proxy {

bool Exchange::is_limited(const policy::Principal* principal) const {
  const bool has_own = principal != nullptr && principal->restrictions && principal->restrictions->rate_limit;
  return has_own || !route_->limits.empty();
}

// Of a request that was granted, to `principal` or to nobody in particular. False: one of its limits is spent, and
// nothing was taken from the others.
Awaitable<bool> Exchange::pass_limits(const policy::Principal* principal) {
  const CountedRequest counted{*route_, principal, asker_of(client_address())};
  const keys::LimitUses uses = limit_uses(counted, worker_.hasher);
  keys::RateLimiter& limiter = worker_.limiter();
  keys::LimitVerdict verdict;
  if (limiter.asks()) {
    verdict = co_await limiter.spend(uses);
  } else {
    verdict = limiter.spend_here(uses);
  }
  room_.standing = verdict.standing;
  co_return verdict.has_passed;
}

// The key was revoked or changed while its count was waited for: nobody watches it yet. It is to be looked up anew
// then.
bool Exchange::has_changed_meanwhile() {
  if (!record_ || !worker_.resolver(caller_.kind).has_changed_since(digest_, record_->asked_at)) {
    return false;
  }
  caller_.found = policy::Caller::Found::could_not_find_out;
  return true;
}

}  // namespace keygate::proxy
