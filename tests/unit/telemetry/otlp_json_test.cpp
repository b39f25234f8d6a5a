#include "telemetry/otlp_json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keygate::telemetry {
namespace {

using namespace std::chrono_literals;

TraceRecord granted() {
  TraceRecord record;
  record.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  record.span_id = "00f067aa0ba902b7";
  record.parent_id = "b7ad6b7169203331";
  record.trace_state = "a=1";
  record.started = std::chrono::system_clock::time_point(1'700'000'000'000ms);
  record.duration = 5ms;
  record.auth = {"1111111111111111", 10us, 20us};
  record.upstream = {"2222222222222222", 1ms, 4ms};
  record.method = "GET";
  record.host = "api.example.com";
  record.path = "/v1/projects";
  record.route = "read";
  record.code = "ok";
  record.client = "203.0.113.7";
  record.request_id = "r1";
  record.source = "memory";
  record.auth_method = "api_key";
  record.age_ms = 1'234;
  record.upstream_name = "app";
  record.endpoint = "http://10.0.0.1:80";
  record.status = record.upstream_status = 200;
  return record;
}

// Pins the whole wire form: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
TEST(OtlpJson, IsExactlyThis) {
  const TraceRecord record = granted();
  EXPECT_EQ(
      otlp_json({&record, 1}, {"keygate", "0.1.0", "host:1"}),
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"keygate"}},)"
      R"({"key":"service.version","value":{"stringValue":"0.1.0"}},)"
      R"({"key":"service.instance.id","value":{"stringValue":"host:1"}}]},)"
      R"("scopeSpans":[{"scope":{"name":"keygate","version":"0.1.0"},"spans":[)"
      R"({"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","parentSpanId":"b7ad6b7169203331",)"
      R"("startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000005000000","traceState":"a=1",)"
      R"("flags":769,"name":"GET read","kind":2,"attributes":[)"
      R"({"key":"http.request.method","value":{"stringValue":"GET"}},)"
      R"({"key":"url.scheme","value":{"stringValue":"http"}},)"
      R"({"key":"url.path","value":{"stringValue":"/v1/projects"}},)"
      R"({"key":"server.address","value":{"stringValue":"api.example.com"}},)"
      R"({"key":"client.address","value":{"stringValue":"203.0.113.7"}},)"
      R"({"key":"http.response.status_code","value":{"intValue":"200"}},)"
      R"({"key":"keygate.request_id","value":{"stringValue":"r1"}},)"
      R"({"key":"keygate.route","value":{"stringValue":"read"}},)"
      R"({"key":"keygate.code","value":{"stringValue":"ok"}},)"
      R"({"key":"keygate.auth_method","value":{"stringValue":"api_key"}}]},)"
      R"({"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"1111111111111111","parentSpanId":"00f067aa0ba902b7",)"
      R"("startTimeUnixNano":"1700000000000010000","endTimeUnixNano":"1700000000000030000",)"
      R"("flags":257,"name":"auth","kind":1,"attributes":[)"
      R"({"key":"keygate.auth.source","value":{"stringValue":"memory"}},)"
      R"({"key":"keygate.auth_method","value":{"stringValue":"api_key"}},)"
      R"({"key":"keygate.auth.age_ms","value":{"intValue":"1234"}}]},)"
      R"({"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"2222222222222222","parentSpanId":"00f067aa0ba902b7",)"
      R"("startTimeUnixNano":"1700000000001000000","endTimeUnixNano":"1700000000005000000",)"
      R"("flags":257,"name":"GET app","kind":3,"attributes":[)"
      R"({"key":"http.request.method","value":{"stringValue":"GET"}},)"
      R"({"key":"keygate.upstream","value":{"stringValue":"app"}},)"
      R"({"key":"keygate.endpoint","value":{"stringValue":"http://10.0.0.1:80"}},)"
      R"({"key":"http.response.status_code","value":{"intValue":"200"}}]}]}]}]})");
}

boost::json::array spans_of(const TraceRecord& record) {
  const auto body = boost::json::parse(otlp_json({&record, 1}, {}));
  return body.at("resourceSpans").at(0).at("scopeSpans").at(0).at("spans").as_array();
}

TEST(OtlpJson, ARequestThatWasNotForwardedHasNoUpstreamSpan) {
  TraceRecord record = granted();
  record.upstream = {};
  record.status = 403;
  EXPECT_EQ(spans_of(record).size(), 2U);
  EXPECT_EQ(spans_of(record).size(), record.spans());
  EXPECT_FALSE(spans_of(record)[0].as_object().contains("status")) << "a refusal is no fault of ours";
}

TEST(OtlpJson, ATraceThatBeginsHereHasNoParent) {
  TraceRecord record = granted();
  record.parent_id.clear();
  EXPECT_FALSE(spans_of(record)[0].as_object().contains("parentSpanId"));
  EXPECT_EQ(spans_of(record)[0].at("flags").as_int64(), 0x101);
}

TEST(OtlpJson, FailuresAreErrors) {
  TraceRecord record = granted();
  record.status = 502;
  record.code = "upstream_unreachable";
  record.is_failure = true;
  record.upstream_status = 0;
  record.resends = 1;
  const auto spans = spans_of(record);
  EXPECT_EQ(spans[0].at("status").at("code").as_int64(), 2);
  EXPECT_EQ(spans[2].at("status").at("code").as_int64(), 2);
  EXPECT_FALSE(spans[1].as_object().contains("status"));
  const std::string text = boost::json::serialize(spans[2]);
  EXPECT_NE(text.find(R"({"key":"http.request.resend_count","value":{"intValue":"1"}})"), std::string::npos) << text;
  EXPECT_NE(text.find(R"({"key":"error.type","value":{"stringValue":"upstream_unreachable"}})"), std::string::npos);
}

// https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status
TEST(OtlpJson, AnErrorIsWhatTheConventionsForHttpCallOne) {
  struct Row {
    std::string name, code;
    bool is_failure;
    int status, upstream_status;
    std::string server, upstream;  // error.type; empty: no error
  };
  const std::vector<Row> rows{
      {"granted", "ok", false, 200, 200, "", ""},
      {"the upstream's own 404", "ok", false, 404, 404, "", "404"},
      {"the upstream's own 500", "ok", false, 500, 500, "500", "500"},
      {"broken off", "upstream_truncated", true, 200, 200, "upstream_truncated", "upstream_truncated"},
      {"no answer", "upstream_timeout", true, 504, 0, "upstream_timeout", "upstream_timeout"},
      {"nobody was told", "upstream_unreachable", true, 0, 0, "upstream_unreachable", "upstream_unreachable"},
      {"the client left early", "client_closed", false, 0, 0, "", ""},
      {"the client left late", "client_closed", false, 200, 200, "", ""},
      {"the client left an error", "client_closed", false, 502, 502, "502", "502"},
      {"cut with its key", "revoked_key", false, 101, 101, "", ""},
      {"a tunnel ended", "tunnel_timeout", false, 101, 101, "", ""},
  };
  const auto error_of = [](const boost::json::value& span) {
    std::string type;
    for (const auto& one : span.at("attributes").as_array()) {
      if (one.at("key").as_string() == "error.type") type = one.at("value").at("stringValue").as_string().c_str();
    }
    EXPECT_EQ(span.as_object().contains("status"), !type.empty()) << span;
    return type;
  };
  for (const Row& row : rows) {
    TraceRecord record = granted();
    record.code = row.code;
    record.is_failure = row.is_failure;
    record.status = row.status;
    record.upstream_status = row.upstream_status;
    const auto spans = spans_of(record);
    EXPECT_EQ(error_of(spans[0]), row.server) << row.name;
    EXPECT_EQ(error_of(spans[2]), row.upstream) << row.name;
  }
}

TEST(TraceRecord, HoldsNothingThatIsNoText) {
  Outcome outcome;
  const std::string hostile = "/a\xff\n\"" + std::string(1'000, 'x');
  outcome.path = hostile;
  const TraceRecord record = record_of(outcome);
  EXPECT_EQ(record.path.size(), 512U);
  EXPECT_TRUE(record.path.starts_with("/a??\"x")) << record.path;
}

TEST(OtlpAnswer, SaysHowManySpansWereNotTaken) {
  EXPECT_EQ(rejected_spans("{}"), 0U);
  EXPECT_EQ(rejected_spans(""), 0U);
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}})"), 3U);
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":4}})"), 4U);
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":-4}})"), 0U);
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":[]})"), 0U);
  EXPECT_EQ(rejected_spans("[{"), 0U);
}

}  // namespace
}  // namespace keygate::telemetry
