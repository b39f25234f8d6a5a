#include "proxy/continued_trace.hpp"

#include <algorithm>

namespace keygate::proxy {
namespace {

using telemetry::TraceParent;

std::optional<TraceParent> parent_of(const RequestHead& request) {
  std::optional<TraceParent> parent;
  unsigned count = 0;
  for (const policy::HeaderField& field : request.headers()) {
    if (equals_ignoring_case(field.name, "traceparent")) {
      parent = telemetry::parse_trace_parent(field.value);
      ++count;
    }
  }
  return count == 1 ? parent : std::nullopt;
}

}  // namespace

bool is_trace_context(std::string_view name) {
  return equals_ignoring_case(name, "traceparent") || equals_ignoring_case(name, "tracestate");
}

std::optional<bool> continue_trace(const RequestHead& request, ExchangeTrace& trace) {
  trace.state.clear();
  const auto parent = parent_of(request);
  trace.has_parent = parent.has_value();
  if (!parent) {
    return std::nullopt;
  }
  std::ranges::copy(parent->trace_id, trace.trace_id.data());
  std::ranges::copy(parent->span_id, trace.parent_id.data());
  for (const policy::HeaderField& field : request.headers()) {
    if (equals_ignoring_case(field.name, "tracestate")) {
      trace.state.add_line(field.value);
    }
  }
  return parent->is_sampled;
}

}  // namespace keygate::proxy
