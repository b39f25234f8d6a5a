#include "config/format_schema.hpp"

#include "config/json_schema.hpp"
#include "config/policy_file.hpp"
#include "config/policy_reader.hpp"
#include "config/settings_reader.hpp"

namespace keygate::config {

std::string configuration_schema() {
  const auto reader = settings_reader(policy_or_file(Purpose::proxy), Purpose::proxy);
  return whole_schema(schema_with(reader.schema, {"policy", "resolution"}), "Keygate: configuration");
}

std::string policy_schema() { return whole_schema(policy_reader(Purpose::proxy).schema, "Keygate: policy"); }

}  // namespace keygate::config
