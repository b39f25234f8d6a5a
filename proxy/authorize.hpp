// A decision service (docs/decision-service.md): another proxy serves the request, and asks here whether it may. Which
// request that is, and what a grant is answered with. Pure; called by exchange on listeners with `mode: authorize`.
#pragma once

#include "config/settings.hpp"
#include "policy/decide.hpp"
#include "proxy/request_head.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace keygate::proxy {

// Makes `head` that of the request which the peer asks about: method, target and host as `dialect` has them, of whom
// each must be there once. `bytes`: the head that `head` views; its target is a part of it, as ever. Only for a peer
// that may ask. What the peer's own request line and other proxies' headers say is not looked at (P-21), and nothing of
// it is answered without being judged: an `OPTIONS *` and one at its last hop are requests as any other (P-22).
std::optional<HeadRefusal> take_original(config::DecisionDialect dialect, std::span<char> bytes,
                                         std::size_t max_target_bytes, RequestHead& head);

struct DecisionFacts {
  std::string_view request_id;
  bool is_degraded = false;  // identified by what is older than the staleness bound
  bool closes = false;
};

// 200, with every identity header that has a name, empty where the principal has none: whoever copies them over the
// client's own leaves none of those.
std::string write_decision(const config::IdentityHeaderSettings& names, const policy::Grant& grant,
                           const DecisionFacts& facts);

}  // namespace keygate::proxy
