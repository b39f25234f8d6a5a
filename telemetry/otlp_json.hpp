// Spans as a collector takes them: the body of an OTLP/HTTP request in JSON (opentelemetry-proto, docs/specification:
// ids as hex, 64-bit numbers as text, enums as numbers, names in lowerCamelCase). Pure.
#pragma once

#include "telemetry/trace_record.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace keygate::telemetry {

struct OtlpResource {
  std::string service_name, service_version, instance_id;
};

std::string otlp_json(std::span<const TraceRecord> records, const OtlpResource& resource);

// Of a collector's answer: how many of the spans it has taken none of (partialSuccess).
std::uint64_t rejected_spans(std::string_view answer);

}  // namespace keygate::telemetry
