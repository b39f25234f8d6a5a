// Addresses as a configuration writes them: host:port to listen on, http://host:port to call, address blocks to trust.
// Pure; nothing is resolved. Used by the settings readers.
#pragma once

#include "config/fault.hpp"
#include "config/settings.hpp"

#include <string>

namespace keygate::config {

// 127.0.0.1:8080, [::1]:8080, localhost:8080 (which is 127.0.0.1), unix:/path. Port 0: any free one. A path is as it
// was written, and `where` is left empty.
Parsed<ListenerSettings> parse_listener_address(const std::string& text);

// http://host[:port] or https://host[:port] without a path, or unix:/path as it was written. `where` is left empty.
Parsed<EndpointSettings> parse_endpoint(const std::string& text);

// 10.0.0.0/8, ::1/128, or a bare address. Bits past the prefix are refused: 10.1.0.0/8 was meant as something else.
Parsed<std::string> parse_address_block(const std::string& text);

}  // namespace keygate::config
