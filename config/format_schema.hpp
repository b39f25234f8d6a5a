// The JSON Schema of a configuration, and of a policy in a file of its own: what `keygate schema` prints, and
// config/keygate.schema.json and config/policy.schema.json hold for editors.
#pragma once

#include <string>

namespace keygate::config {

std::string configuration_schema();
std::string policy_schema();

}  // namespace keygate::config
