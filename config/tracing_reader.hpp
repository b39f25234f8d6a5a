// Which keys does `tracing` have, and which variables of OpenTelemetry stand in for them?
#pragma once

#include "config/reader.hpp"
#include "config/tracing_settings.hpp"

namespace keygate::config {

Reader<TracingSettings> tracing_reader();

// The variables of OpenTelemetry, where the file is silent about what they say. `root` is the whole file. One that
// makes no sense, or that the file's own rules forbid, gets a warning and is let go, as OpenTelemetry has it: it is
// often not the operator of this proxy who sets them. No warning says what a variable holds: there may be a token in
// it.
void take_tracing_variables(const Value& root, TracingSettings& settings);

}  // namespace keygate::config
