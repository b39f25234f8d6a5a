// How many client connections the process can really hold: descriptors are counted at start, not found missing under
// load.
#pragma once

#include "config/settings.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace keygate::app {

// Descriptors for everything but clients and what is open to upstreams on their behalf, with every dependency as busy
// as it can get.
std::size_t reserved_descriptors(const config::Settings& settings, std::size_t workers);

// How many clients `descriptors` bear, with one connection to an upstream for each, and idle ones in the pools of all
// other endpoints.
std::size_t bearable_clients(const config::Settings& settings, std::size_t workers, std::size_t descriptors);

struct Connections {
  std::size_t most = 0;
  std::optional<std::string> fault;  // the operator asked for more than RLIMIT_NOFILE bears
};

// Raises RLIMIT_NOFILE to its hard limit. A number that was not written is lowered to what fits, with a warning in the
// log.
Connections fit_connections(const config::Settings& settings, std::size_t workers);

}  // namespace keygate::app
