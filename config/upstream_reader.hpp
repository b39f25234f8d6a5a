// The tables of `upstreams`, and its shorthand `upstream: URL`.
// Called by the settings reader.
#pragma once

#include "config/reader.hpp"
#include "config/settings.hpp"

namespace keygate::config {

Reader<std::vector<UpstreamSettings>> upstreams_reader();

// A URL alone: one upstream called "default".
Reader<UpstreamSettings> default_upstream_reader();

}  // namespace keygate::config
