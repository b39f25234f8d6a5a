// Which keys does a rate limit have? Called by policy_reader.
#pragma once

#include "config/rate_limit_document.hpp"
#include "config/reader.hpp"

#include <vector>

namespace keygate::config {

// One map, or a list of several.
Reader<std::vector<RateLimitDocument>> rate_limits_reader();

}  // namespace keygate::config
