// What an exchange knows of the trace that it belongs to. Written where tracing is on, and nowhere looked at else.
#pragma once

#include "telemetry/trace_context.hpp"

#include <array>
#include <chrono>
#include <string_view>

namespace keygate::proxy {

struct ExchangeTrace {
  using Time = std::chrono::steady_clock::time_point;

  bool is_on = false;        // there is a collector: the request carries our context on
  bool is_recorded = false;  // its spans go there
  bool has_parent = false;
  std::array<char, 32> trace_id;
  std::array<char, 16> parent_id, server_id, auth_id, upstream_id;
  telemetry::TraceState state;  // of the parent
  Time auth_began{}, upstream_began{};

  std::string_view trace() const { return {trace_id.data(), trace_id.size()}; }
  // What the upstream is told: it is below our upstream span.
  telemetry::TraceParent for_upstream() const {
    return {trace(), {upstream_id.data(), upstream_id.size()}, is_recorded};
  }
};

}  // namespace keygate::proxy
