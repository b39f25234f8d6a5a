// The listening sockets of all workers, opened together: all of them, or none.
#pragma once

#include "app/worker_thread.hpp"

#include <string>
#include <variant>
#include <vector>

namespace keygate::app {

// By worker.
using OpenedListeners = std::vector<std::vector<OpenedListener>>;

// Opens each of `wanted` for each of `workers`; probes the address first, so that another process on it is noticed. The
// sentence says which address failed and why; whatever had been opened is closed then.
std::variant<OpenedListeners, std::string> open_listeners(const std::vector<config::ListenerSettings>& wanted,
                                                          std::size_t workers);

}  // namespace keygate::app
