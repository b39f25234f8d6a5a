// What a worker says of itself to the metrics and the admin listener: copies, made on its thread when it is asked.
#pragma once

#include "keys/lookup_counters.hpp"
#include "proxy/tallies.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace keygate::proxy {

struct WorkerFigures {
  std::vector<RouteTally> routes;  // those that were asked for
  std::map<std::string, telemetry::RequestTimes> upstreams;
  std::array<telemetry::AuthTimes, Tallies::source_names.size()> auth{};
  std::uint64_t degraded = 0;  // requests that stale_if_error served
  keys::LookupCounters lookups;
  keys::DependencyFigures dependencies;
  std::size_t clients = 0;               // connections
  std::size_t upstream_connections = 0;  // idle ones too
  std::size_t cached_keys = 0;
};

// The last exchanges of a worker, as lines of the access log.
struct Recent {
  std::uint64_t last = 0;          // how many there have been, over all
  std::vector<std::string> lines;  // the youngest of these, oldest first
};

}  // namespace keygate::proxy
