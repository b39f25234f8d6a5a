// Which form a request's target has (RFC 9112 §3.2), and how each becomes origin-form. Pure; called by
// read_request_head.
#pragma once

#include "proxy/request_head.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace keygate::proxy {

// Sets out.target and out.is_asterisk. Absolute-form loses scheme and authority, in place; an authority other than the
// Host is misdirected_request. `out` must hold method and host.
std::optional<HeadRefusal> settle_target(std::span<char> raw, RequestHead& out);

// Whether two authorities are the same: hosts folded by canonical_host, an empty or default port left out.
bool same_authority(std::string_view a, std::string_view b, int default_port);

}  // namespace keygate::proxy
