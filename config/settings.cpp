#include "config/settings.hpp"

namespace keygate::config {

std::string name_of(const ListenerSettings& listener) {
  if (!listener.socket.empty()) return "unix:" + listener.socket;
  const bool is_v6 = listener.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + listener.host + "]" : listener.host) + ":" + std::to_string(listener.port);
}

const UpstreamSettings* Settings::find_upstream(const std::string& name) const {
  for (const auto& upstream : upstreams) {
    if (upstream.name == name) return &upstream;
  }
  return nullptr;
}

}  // namespace keygate::config
