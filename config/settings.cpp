#include "config/settings.hpp"

namespace keygate::config {

const UpstreamSettings* Settings::find_upstream(const std::string& name) const {
  for (const auto& upstream : upstreams) {
    if (upstream.name == name) return &upstream;
  }
  return nullptr;
}

}  // namespace keygate::config
