// The trace that an exchange belongs to: continued or begun, and what it tells of itself at its end.
#include "proxy/exchange_trace.hpp"

#include "proxy/exchange.hpp"
#include "telemetry/trace_queue.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace keygate::proxy {
namespace {

using telemetry::TraceParent;

// What the client sent, as far as it is to be believed: two of them are none.
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

template <std::size_t size>
void copy_id(std::string_view from, std::array<char, size>& to) {
  std::copy_n(from.data(), size, to.data());
}

telemetry::SpanPart part_of(const std::array<char, 16>& id, SteadyClock::time_point exchange_began,
                            SteadyClock::time_point began, std::chrono::nanoseconds length) {
  return {std::string(id.data(), id.size()), began - exchange_began, length};
}

}  // namespace

void Exchange::begin_trace() {
  ExchangeTrace& trace = room_.trace;
  trace.is_on = true;
  trace.auth_began = trace.upstream_began = {};
  trace.state.clear();
  // 128 random bits for two ids at a time; what is all zero is none, and as good as never drawn.
  const std::string_view drawn = worker_.next_request_id();
  copy_id(drawn, trace.server_id);
  copy_id(drawn.substr(trace.server_id.size()), trace.upstream_id);
  std::uint64_t dice = 0;
  const std::string_view more = worker_.next_request_id();
  copy_id(more, trace.auth_id);
  std::from_chars(more.data() + trace.auth_id.size(), more.data() + more.size(), dice, 16);
  TraceSampler::Wish wish;
  wish.is_trusted = is_peer_trusted_;
  const auto parent = parent_of(request_);
  trace.has_parent = parent.has_value();
  if (parent) {
    wish.is_sampled = parent->is_sampled;
    copy_id(parent->trace_id, trace.trace_id);
    copy_id(parent->span_id, trace.parent_id);
    for (const policy::HeaderField& field : request_.headers()) {
      if (equals_ignoring_case(field.name, "tracestate")) {
        trace.state.add_line(field.value);
      }
    }
  } else {
    trace.trace_id = room_.request_id;  // one name less to look for
  }
  trace.is_recorded = worker_.sampler.is_recorded(wish, snapshot_.settings->tracing.sample, dice, began_);
}

void Exchange::hand_over_trace(const telemetry::Outcome& outcome, SteadyClock::time_point ended) {
  const ExchangeTrace& trace = room_.trace;
  if (!trace.is_recorded || worker_.traces == nullptr) {
    return;
  }
  telemetry::TraceRecord record = telemetry::record_of(outcome);
  record.span_id.assign(trace.server_id.data(), trace.server_id.size());
  if (trace.has_parent) {
    record.parent_id.assign(trace.parent_id.data(), trace.parent_id.size());
    record.trace_state = trace.state.text();
  }
  record.is_secure = client_.stream.is_secure();
  if (trace.auth_began != SteadyClock::time_point{}) {
    record.auth = part_of(trace.auth_id, began_, trace.auth_began, auth_time_);
  }
  if (trace.upstream_began != SteadyClock::time_point{}) {
    record.upstream = part_of(trace.upstream_id, began_, trace.upstream_began, ended - trace.upstream_began);
    record.upstream_status = has_final_head_ ? response_.status : 0;
    record.resends = tries_ > 0 ? tries_ - 1 : 0;
    if (choice_.endpoint) {
      record.endpoint = name_of(choice_.endpoint->settings());
    }
  }
  worker_.traces->put(std::move(record));
}

}  // namespace keygate::proxy
