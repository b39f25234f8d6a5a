// The tables of `limits` and `resolution`: every number a running proxy is bounded by, with its range.
// Called by the settings reader.
#pragma once

#include "config/reader.hpp"
#include "config/settings.hpp"

namespace keygate::config {

Reader<LimitSettings> limits_reader();
Reader<ResolutionSettings> resolution_reader();

}  // namespace keygate::config
