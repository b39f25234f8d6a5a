// Which exchanges are traced, and where the spans go: part of Settings (docs/tracing.md).
#pragma once

#include "config/resolution_settings.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::config {

// A key of `tracing` for which a variable of the environment stood in.
struct TracingVariable {
  std::string_view key, name;  // both live for ever
};

struct TracingSettings {
  std::optional<ServiceUrl> endpoint;  // of an OTLP/HTTP collector, /v1/traces included; none: nothing is traced
  double sample = 0.01;                // the share of traces that begin here
  bool trust_parent = false;           // the sampled flag of trusted_proxies counts
  std::string service_name = "keygate";
  std::string ca_file;                 // empty: what the system trusts
  std::vector<TracingVariable> taken;  // where the file is silent
  Position where;
};

}  // namespace keygate::config
