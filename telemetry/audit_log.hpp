// Who has changed something, and what came of it: lines of the operational log that have "audit" for their level and
// are written whatever log.level asks for. Safe from any thread.
#pragma once

#include <string_view>

namespace keygate::telemetry {

// Nothing in it is secret.
void audit(std::string_view message);

}  // namespace keygate::telemetry
