// The table of `limits`: every number a running proxy is bounded by, with its range.
// Called by the settings reader.
#pragma once

#include "config/reader.hpp"
#include "config/settings.hpp"

namespace keygate::config {

Reader<LimitSettings> limits_reader();

}  // namespace keygate::config
