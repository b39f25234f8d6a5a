// Where clients connect, and what a connection begins with. Used by the settings reader.
#pragma once

#include "config/purpose.hpp"
#include "config/reader.hpp"
#include "config/settings.hpp"

namespace keygate::config {

Reader<ListenerSettings> listening_address();
Reader<ListenerSettings> listener_reader();

// Of all of them together, the health listener among them.
void check_listeners(const Value& root, const Settings& settings, Purpose purpose);

}  // namespace keygate::config
