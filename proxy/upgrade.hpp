// The WebSocket handshake (RFC 6455 §4) as whoever stands between the two ends judges it: may the request ask for the
// switch, and has the upstream agreed to just this one? Pure. Called by read_request_head and by exchange.
#pragma once

#include "proxy/request_head.hpp"
#include "proxy/response_head.hpp"

#include <array>
#include <optional>
#include <string_view>

namespace keygate::proxy {

// For a head with is_upgrade. nullopt: the handshake is whole.
std::optional<HeadRefusal> judge_upgrade(const RequestHead& head);

// For a 101 to a head that judge_upgrade has passed. nullopt: valid; otherwise a static sentence for our log.
std::optional<std::string_view> judge_switch(const RequestHead& asked, const ResponseHead& answer);

// The Sec-WebSocket-Accept that belongs to a Sec-WebSocket-Key.
std::array<char, 28> accept_of(std::string_view key);

}  // namespace keygate::proxy
