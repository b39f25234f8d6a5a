// The URLs of what a proxy depends on: redis:// and rediss://, http:// and https:// of a key service. Pure.
// Used by the resolution reader.
#pragma once

#include "config/fault.hpp"
#include "config/resolution_settings.hpp"

#include <string>

namespace keygate::config {

// redis://[user[:password]@]host[:port][/database], rediss:// likewise, unix:///path.sock[?db=0].
Parsed<RedisAddress> parse_redis_url(const std::string& text);

// http:// or https:// with a host and perhaps port, path and query; no user information and no fragment.
Parsed<ServiceUrl> parse_service_url(const std::string& text);

// Whether the host is this machine for certain: an address of the loopback network, or "localhost".
bool is_loopback(const std::string& host);

}  // namespace keygate::config
