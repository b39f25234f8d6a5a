// Which exchanges are traced, and where the spans go: part of Settings (docs/tracing.md).
#pragma once

#include "config/resolution_settings.hpp"

#include <optional>
#include <string>

namespace keygate::config {

struct TracingSettings {
  std::optional<ServiceUrl> endpoint;  // of an OTLP/HTTP collector, /v1/traces included; none: nothing is traced
  double sample = 0.01;                // the share of traces that begin here
  std::string service_name = "keygate";
  std::string ca_file;  // empty: what the system trusts
  Position where;
};

}  // namespace keygate::config
