// How many client connections the process can really hold: descriptors are counted at start, not found missing under
// load.
#pragma once

#include "config/settings.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace keygate::app {

struct Connections {
  std::size_t most = 0;
  std::optional<std::string> fault;  // the operator asked for more than RLIMIT_NOFILE bears
};

// Raises RLIMIT_NOFILE to its hard limit. A number that was not written is lowered to what fits, with a warning in the
// log.
Connections fit_connections(const config::LimitSettings& limits, std::size_t workers);

}  // namespace keygate::app
