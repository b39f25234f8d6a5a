#include "telemetry/otlp_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <chrono>

namespace keygate::telemetry {
namespace {

namespace json = boost::json;
using std::chrono::nanoseconds;

// opentelemetry/proto/trace/v1/trace.proto
constexpr int kind_internal = 1, kind_server = 2, kind_client = 3;
constexpr int status_error = 2;
constexpr unsigned flag_sampled = 0x01, flag_knows_remote = 0x100, flag_is_remote = 0x200;

class Attributes {
 public:
  void text(std::string_view key, std::string_view value) {
    if (!value.empty()) put(key, {{"stringValue", json::string_view(value.data(), value.size())}});
  }
  void number(std::string_view key, std::int64_t value) { put(key, {{"intValue", std::to_string(value)}}); }
  void flag(std::string_view key, bool value) { put(key, {{"boolValue", value}}); }
  json::array take() { return std::move(all_); }

 private:
  void put(std::string_view key, json::object value) {
    all_.push_back(json::object{{"key", json::string_view(key.data(), key.size())}, {"value", std::move(value)}});
  }

  json::array all_;
};

std::string unix_nanoseconds(std::chrono::system_clock::time_point time, nanoseconds after) {
  return std::to_string((std::chrono::duration_cast<nanoseconds>(time.time_since_epoch()) + after).count());
}

json::object span_of(const TraceRecord& record, const SpanPart& part, std::string_view parent_id) {
  json::object span{{"traceId", record.trace_id}, {"spanId", part.span_id}};
  if (!parent_id.empty()) span["parentSpanId"] = json::string_view(parent_id.data(), parent_id.size());
  span["startTimeUnixNano"] = unix_nanoseconds(record.started, part.begin);
  span["endTimeUnixNano"] = unix_nanoseconds(record.started, part.begin + part.length);
  return span;
}

// Of the semantic conventions for HTTP: an answer below 500 is no fault of a server's, and neither is a client that
// leaves. One that broke off is, whatever its status said.
json::object server_span(const TraceRecord& record) {
  json::object span = span_of(record, {record.span_id, nanoseconds(0), record.duration}, record.parent_id);
  if (!record.trace_state.empty()) span["traceState"] = record.trace_state;
  span["flags"] = flag_sampled | flag_knows_remote | (record.parent_id.empty() ? 0 : flag_is_remote);
  const std::string method = record.method.empty() ? "HTTP" : record.method;
  span["name"] = record.route.empty() ? method : method + ' ' + record.route;
  span["kind"] = kind_server;
  Attributes all;
  all.text("http.request.method", record.method);
  all.text("url.scheme", record.is_secure ? "https" : "http");
  all.text("url.path", record.path);
  all.text("server.address", record.host);
  all.text("client.address", record.client);
  if (record.status != 0) all.number("http.response.status_code", record.status);
  all.text("keygate.request_id", record.request_id);
  all.text("keygate.route", record.route);
  all.text("keygate.code", record.code);
  all.text("keygate.key_id", record.key_id);
  all.text("keygate.organization_id", record.organization_id);
  all.text("keygate.environment", record.environment);
  all.text("keygate.auth_method", record.auth_method);
  const bool is_fault = record.is_failure || record.status >= 500;
  if (is_fault) all.text("error.type", record.is_failure ? record.code : std::to_string(record.status));
  span["attributes"] = all.take();
  if (is_fault) span["status"] = json::object{{"code", status_error}};
  return span;
}

json::object auth_span(const TraceRecord& record) {
  json::object span = span_of(record, record.auth, record.span_id);
  span["flags"] = flag_sampled | flag_knows_remote;
  span["name"] = "auth";
  span["kind"] = kind_internal;
  Attributes all;
  all.text("keygate.auth.source", record.source.empty() ? std::string_view("none") : record.source);
  all.text("keygate.auth_method", record.auth_method);
  if (record.age_ms >= 0) all.number("keygate.auth.age_ms", record.age_ms);
  if (record.is_degraded) all.flag("keygate.auth.degraded", true);
  const bool is_fault = record.code == "key_service_unavailable";
  if (is_fault) all.text("error.type", record.code);
  span["attributes"] = all.take();
  if (is_fault) span["status"] = json::object{{"code", status_error}};
  return span;
}

json::object upstream_span(const TraceRecord& record) {
  json::object span = span_of(record, record.upstream, record.span_id);
  span["flags"] = flag_sampled | flag_knows_remote;
  span["name"] = record.method + ' ' + record.upstream_name;
  span["kind"] = kind_client;
  Attributes all;
  all.text("http.request.method", record.method);
  all.text("keygate.upstream", record.upstream_name);
  all.text("keygate.endpoint", record.endpoint);
  if (record.upstream_status != 0) all.number("http.response.status_code", record.upstream_status);
  if (record.resends > 0) all.number("http.request.resend_count", record.resends);
  const bool is_refused = record.upstream_status >= 400;
  const bool is_fault = is_refused || record.is_failure;
  if (is_fault) all.text("error.type", is_refused ? std::to_string(record.upstream_status) : record.code);
  span["attributes"] = all.take();
  if (is_fault) span["status"] = json::object{{"code", status_error}};
  return span;
}

}  // namespace

std::string otlp_json(std::span<const TraceRecord> records, const OtlpResource& resource) {
  json::array spans;
  for (const TraceRecord& record : records) {
    spans.push_back(server_span(record));
    if (!record.auth.span_id.empty()) spans.push_back(auth_span(record));
    if (!record.upstream.span_id.empty()) spans.push_back(upstream_span(record));
  }
  Attributes of_resource;
  of_resource.text("service.name", resource.service_name);
  of_resource.text("service.version", resource.service_version);
  of_resource.text("service.instance.id", resource.instance_id);
  json::object scope_spans{{"scope", json::object{{"name", "keygate"}, {"version", resource.service_version}}},
                           {"spans", std::move(spans)}};
  json::object resource_spans{{"resource", json::object{{"attributes", of_resource.take()}}},
                              {"scopeSpans", json::array{std::move(scope_spans)}}};
  return json::serialize(json::object{{"resourceSpans", json::array{std::move(resource_spans)}}});
}

std::uint64_t rejected_spans(std::string_view answer) {
  boost::system::error_code error;
  const json::value read = json::parse(json::string_view(answer.data(), answer.size()), error);
  const json::value* at = !error && read.is_object() ? read.get_object().if_contains("partialSuccess") : nullptr;
  at = at != nullptr && at->is_object() ? at->get_object().if_contains("rejectedSpans") : nullptr;
  if (at == nullptr) return 0;
  if (at->is_number()) return at->is_int64() && at->get_int64() > 0 ? static_cast<std::uint64_t>(at->get_int64()) : 0;
  std::uint64_t count = 0;
  if (at->is_string())
    std::from_chars(at->get_string().data(), at->get_string().data() + at->get_string().size(), count);
  return count;
}

}  // namespace keygate::telemetry
