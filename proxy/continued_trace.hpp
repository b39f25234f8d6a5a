// What does the client say of a trace that its request belongs to? For the exchange and for explain. Pure.
#pragma once

#include "proxy/exchange_trace.hpp"
#include "proxy/request_head.hpp"

#include <optional>
#include <string_view>

namespace keygate::proxy {

// The two headers of W3C Trace Context.
bool is_trace_context(std::string_view name);

// Takes the trace, the parent's span and its tracestate over into `trace`, and returns the sampled flag. nullopt: there
// is no parent, as two traceparents are none either, and `trace` has got no id.
std::optional<bool> continue_trace(const RequestHead& request, ExchangeTrace& trace);

}  // namespace keygate::proxy
