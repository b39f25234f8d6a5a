// The trace that an exchange belongs to: continued or begun, and what it tells of itself at its end.
#include "proxy/exchange_trace.hpp"

#include "policy/reason.hpp"
#include "proxy/continued_trace.hpp"
#include "proxy/exchange.hpp"
#include "telemetry/trace_queue.hpp"

#include <algorithm>
#include <string_view>

namespace keygate::proxy {
namespace {

template <std::size_t size>
void copy_id(std::string_view from, std::array<char, size>& to) {
  std::copy_n(from.data(), size, to.data());
}

telemetry::SpanPart part_of(const std::array<char, 16>& id, SteadyClock::time_point exchange_began,
                            SteadyClock::time_point began, std::chrono::nanoseconds length) {
  return {std::string(id.data(), id.size()), began - exchange_began, length};
}

bool is_failure(policy::Fault fault) {
  switch (fault) {
    case policy::Fault::nobody:
    case policy::Fault::client:
      return false;
    case policy::Fault::upstream:
    case policy::Fault::dependency:
    case policy::Fault::proxy:
      return true;
  }
  return true;
}

}  // namespace

void Exchange::begin_trace() {
  ExchangeTrace& trace = room_.trace;
  trace.is_on = true;
  trace.auth_began = trace.upstream_began = {};
  // 128 random bits for two ids at a time; what is all zero is none, and as good as never drawn.
  const std::string_view drawn = worker_.next_request_id();
  copy_id(drawn, trace.server_id);
  copy_id(drawn.substr(trace.server_id.size()), trace.upstream_id);
  copy_id(worker_.next_request_id(), trace.auth_id);
  TraceSampler::Wish wish;
  wish.is_sampled = continue_trace(request_, trace);
  wish.is_trusted = is_peer_trusted_ && snapshot_.settings->tracing.trust_parent;
  if (!trace.has_parent) {
    trace.trace_id = room_.request_id;  // one name less to look for
  }
  const double share = snapshot_.settings->tracing.sample;
  trace.is_recorded = worker_.sampler.is_recorded(wish, share, worker_.dice(), began_);
}

void Exchange::hand_over_trace(const telemetry::Outcome& outcome, SteadyClock::time_point ended) {
  const ExchangeTrace& trace = room_.trace;
  if (!trace.is_recorded || worker_.traces == nullptr) {
    return;
  }
  const bool has_auth = trace.auth_began != SteadyClock::time_point{};
  const bool has_upstream = trace.upstream_began != SteadyClock::time_point{};
  if (worker_.traces->drops(1U + (has_auth ? 1U : 0U) + (has_upstream ? 1U : 0U))) {
    return;
  }
  telemetry::TraceRecord record = telemetry::record_of(outcome);
  record.span_id.assign(trace.server_id.data(), trace.server_id.size());
  if (trace.has_parent) {
    record.parent_id.assign(trace.parent_id.data(), trace.parent_id.size());
    record.trace_state = trace.state.text();
  }
  record.is_secure = client_.stream.is_secure();
  record.is_failure = is_failure(policy::row(static_cast<policy::Reason>(outcome.reason_number)).fault);
  if (has_auth) {
    record.auth = part_of(trace.auth_id, began_, trace.auth_began, auth_time_);
  }
  if (has_upstream) {
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
