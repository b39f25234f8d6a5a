// The tables of `upstreams`, and its shorthand `upstream: URL`.
// Called by the settings reader.
#pragma once

#include "config/reader.hpp"
#include "config/settings.hpp"

namespace keygate::config {

Reader<std::vector<UpstreamSettings>> upstreams_reader();

// What an endpoint is asked for with GET: "/healthz".
Reader<std::string> checked_path();

// A URL alone: one upstream called "default".
Reader<UpstreamSettings> default_upstream_reader();

}  // namespace keygate::config
