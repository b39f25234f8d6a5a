// The spans of one finished exchange, on their way to whoever exports them: owned, unlike an Outcome's views.
#pragma once

#include "telemetry/outcome.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace keygate::telemetry {

// A part of an exchange. `begin` counts from the exchange's start.
struct SpanPart {
  std::string span_id;  // 16 hex digits; empty: there was no such part
  std::chrono::nanoseconds begin{0}, length{0};
};

struct TraceRecord {
  std::string trace_id, span_id, parent_id;  // of the exchange; no parent: the trace begins here
  std::string trace_state;
  SpanPart auth, upstream;
  std::chrono::system_clock::time_point started;
  std::chrono::nanoseconds duration{0};
  bool is_secure = false;  // the client came over TLS

  std::string request_id, client, method, host, path, route, code;
  std::string key_id, organization_id, environment, auth_method, source, upstream_name, endpoint;
  int status = 0, upstream_status = 0;  // 0: none
  unsigned resends = 0;
  std::int64_t age_ms = -1;
  bool is_degraded = false;
  bool is_failure = false;  // `code` is of what we, an upstream or a dependency did wrong: not the client

  // How many spans it has.
  std::size_t spans() const { return 1 + (auth.span_id.empty() ? 0U : 1U) + (upstream.span_id.empty() ? 0U : 1U); }
};

// With what the outcome says; each text is cut at 512 bytes, and what is no printable ASCII is a '?': a collector wants
// UTF-8.
TraceRecord record_of(const Outcome& outcome);

}  // namespace keygate::telemetry
