// Which keys does `tracing` have, and which variables of OpenTelemetry stand in for them?
#pragma once

#include "config/reader.hpp"
#include "config/tracing_settings.hpp"

#include <array>
#include <string_view>

namespace keygate::config {

Reader<TracingSettings> tracing_reader();

struct TracingVariable {
  std::string_view key, name;
};

// Of the environment, where the file is silent about the key.
inline constexpr std::array<TracingVariable, 3> tracing_variables{{{"otlp_endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT"},
                                                                   {"service_name", "OTEL_SERVICE_NAME"},
                                                                   {"sample", "OTEL_TRACES_SAMPLER_ARG"}}};

// `root` is the whole file. A variable that makes no sense gets a warning and is let go, as OpenTelemetry has it: it is
// often not the operator of this proxy who sets them.
void take_tracing_variables(const Value& root, TracingSettings& settings);

}  // namespace keygate::config
