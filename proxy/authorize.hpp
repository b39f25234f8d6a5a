// A decision service (docs/decision-service.md): another proxy serves the request, and asks here whether it may. Which
// request is that? Pure; called by exchange on listeners with `mode: authorize`.
#pragma once

#include "config/wire_settings.hpp"
#include "proxy/request_head.hpp"

#include <cstddef>
#include <optional>
#include <span>

namespace keygate::proxy {

// Makes `head` that of the request which the peer asks about: method, target and host as `dialect` has them, of whom
// each must be there once. `bytes`: the head that `head` views; its target is a part of it, as ever. Only for a peer
// that may ask. Its own request line says nothing, and other dialects' headers name nothing: one that contradicts is
// refused (P-21), and so is one that asks for another protocol than WebSocket. Nothing is answered without being
// judged: an `OPTIONS *`, one at its last hop and a preflight are requests as any other (P-22).
std::optional<HeadRefusal> take_original(config::DecisionDialect dialect, std::span<char> bytes,
                                         std::size_t max_target_bytes, RequestHead& head);

// Whether the client of `head`, which take_original has made, came to who asks over TLS, or to any proxy before.
bool is_said_to_be_secure(const RequestHead& head);

}  // namespace keygate::proxy
