// Where probes and metrics are asked for, and which paths of it stand for an upstream's. Used by the settings reader.
#pragma once

#include "config/purpose.hpp"
#include "config/reader.hpp"
#include "config/settings.hpp"

namespace keygate::config {

Reader<HealthSettings> health_reader();

// Beside the upstreams that it names.
void check_health(const Value& root, const Settings& settings, Purpose purpose);

}  // namespace keygate::config
