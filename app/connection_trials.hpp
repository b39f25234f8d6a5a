// Can everything that a configuration names be reached, as the proxy would reach it? `keygate check --connect`.
#pragma once

#include "config/problem.hpp"
#include "proxy/snapshot.hpp"

#include <cstddef>

namespace keygate::app {

struct ConnectionTrials {
  std::size_t tried = 0;
  config::Problems problems;  // one of each that cannot be used, at the place that names it
};

// Tries Redis, the key service and each endpoint of each upstream, all at once and each within its own limits; returns
// when all have been heard of. Sends no credential of anybody's, and changes nothing.
ConnectionTrials try_connections(const proxy::Snapshot& snapshot);

}  // namespace keygate::app
