// Where this machine is, and where on it Keygate itself.
#pragma once

#include "config/settings.hpp"
#include "proxy/sockets.hpp"

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <string>
#include <vector>

namespace keygate::app {

// Those of interfaces that are up, loopback left out; nullopt where the system does not say.
std::optional<std::vector<net::ip::address>> machine_addresses();

// What `host` stands for: one for which config::is_loopback holds.
std::vector<net::ip::address> loopback_of(const std::string& host);

// Whether what listens there is one of these listeners.
bool is_ours(const std::vector<config::ListenerSettings>& listeners, const proxy::Tcp::endpoint& place);

}  // namespace keygate::app
