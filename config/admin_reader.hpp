// Where operators look at a running proxy, and who may change something there. Used by the settings reader.
#pragma once

#include "config/reader.hpp"
#include "config/settings.hpp"

namespace keygate::config {

// A unix socket, or a loopback address: complains at any other.
Reader<AdminSettings> admin_reader();

}  // namespace keygate::config
