#include "telemetry/trace_record.hpp"

#include <algorithm>

namespace keygate::telemetry {
namespace {

constexpr std::size_t max_text = 512;

std::string plain(std::string_view text) {
  std::string result(text.substr(0, max_text));
  std::ranges::replace_if(
      result, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return result;
}

}  // namespace

TraceRecord record_of(const Outcome& outcome) {
  TraceRecord record;
  record.trace_id = plain(outcome.trace_id);
  record.started = outcome.started;
  record.duration = outcome.duration;
  record.request_id = plain(outcome.request_id);
  record.client = plain(outcome.client);
  record.method = plain(outcome.method);
  record.host = plain(outcome.host);
  record.path = plain(outcome.path);
  record.route = plain(outcome.route);
  record.code = plain(outcome.code);
  record.key_id = plain(outcome.key_id);
  record.organization_id = plain(outcome.organization_id);
  record.environment = plain(outcome.environment);
  record.auth_method = plain(outcome.auth_method);
  record.source = plain(outcome.source);
  record.upstream_name = plain(outcome.upstream);
  record.status = outcome.status;
  record.age_ms = outcome.age_ms;
  record.is_degraded = outcome.is_degraded;
  return record;
}

}  // namespace keygate::telemetry
