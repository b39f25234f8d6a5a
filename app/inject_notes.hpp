// What of a container beside the sidecar does the operator have yet to see to? Pure; called by inject.
#pragma once

#include "config/yaml_reader.hpp"

#include <string>
#include <vector>

namespace keygate::app {

// A sentence each: ports that lead around Keygate, probes that cannot reach loopback, an end that comes too early.
std::vector<std::string> notes_on(const config::YamlNode& container);

}  // namespace keygate::app
