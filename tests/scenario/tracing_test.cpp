// Trace context and spans, with a real HTTP server as the collector: what it is sent is held against the published JSON
// encoding of OTLP.
#include "tests/support/bridge.hpp"
#include "tests/support/scenario.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

namespace json = boost::json;

const std::string parent_trace = "4bf92f3577b34da6a3ce929d0e0e4736", parent_span = "00f067aa0ba902b7";
const std::string parent = "traceparent: 00-" + parent_trace + "-" + parent_span + "-01\r\n";

bool matches(const json::value& value, const char* form) {
  return value.is_string() && std::regex_match(std::string(value.as_string()), std::regex(form));
}

void expect_keys(const json::object& object, const std::set<std::string>& allowed) {
  for (const auto& member : object) EXPECT_TRUE(allowed.contains(std::string(member.key()))) << member.key();
}

// "AnyValue": one member, 64-bit numbers as text.
void expect_attributes(const json::value& list) {
  std::set<std::string> seen;
  for (const auto& one : list.as_array()) {
    expect_keys(one.as_object(), {"key", "value"});
    EXPECT_TRUE(seen.insert(std::string(one.at("key").as_string())).second) << "twice: " << one;
    const json::object& value = one.at("value").as_object();
    ASSERT_EQ(value.size(), 1U) << one;
    if (value.begin()->key() == "intValue") {
      EXPECT_TRUE(matches(value.begin()->value(), "-?[0-9]+")) << one;
    } else if (value.begin()->key() == "stringValue") {
      EXPECT_TRUE(value.begin()->value().is_string()) << one;
    } else {
      EXPECT_EQ(value.begin()->key(), "boolValue");
      EXPECT_TRUE(value.begin()->value().is_bool()) << one;
    }
  }
}

// opentelemetry-proto: names in lowerCamelCase, trace and span ids in hex, fixed64 as decimal text, enums as numbers.
void expect_span(const json::object& span) {
  expect_keys(span, {"traceId", "spanId", "parentSpanId", "traceState", "flags", "name", "kind", "startTimeUnixNano",
                     "endTimeUnixNano", "attributes", "status"});
  EXPECT_TRUE(matches(span.at("traceId"), "[0-9a-f]{32}")) << span;
  EXPECT_TRUE(matches(span.at("spanId"), "[0-9a-f]{16}")) << span;
  if (span.contains("parentSpanId")) {
    EXPECT_TRUE(matches(span.at("parentSpanId"), "[0-9a-f]{16}")) << span;
  }
  EXPECT_TRUE(matches(span.at("startTimeUnixNano"), "[0-9]{19}")) << span;
  EXPECT_TRUE(matches(span.at("endTimeUnixNano"), "[0-9]{19}")) << span;
  EXPECT_LE(span.at("startTimeUnixNano").as_string(), span.at("endTimeUnixNano").as_string());
  EXPECT_TRUE(span.at("kind").is_int64() && span.at("kind").as_int64() >= 1 && span.at("kind").as_int64() <= 3) << span;
  EXPECT_TRUE(span.at("flags").is_int64()) << span;
  EXPECT_FALSE(span.at("name").as_string().empty());
  expect_attributes(span.at("attributes"));
  if (span.contains("status")) {
    EXPECT_EQ(json::serialize(span.at("status")), R"({"code":2})");
  }
}

std::string attribute(const json::object& span, std::string_view key) {
  for (const auto& one : span.at("attributes").as_array()) {
    if (std::string(one.at("key").as_string()) == key) {
      const json::value& value = one.at("value").as_object().begin()->value();
      return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
    }
  }
  return "(absent)";
}

void take_spans(Turn& turn) {
  turn.read_body();
  turn.answer(200, "{}", "Content-Type: application/json\r\n");
}

class Tracing : public Scenario {
 protected:
  void trace(const std::string& more = ", sample: 1", Config config = {}) {
    config.more +=
        "tracing: {otlp_endpoint: \"http://127.0.0.1:" + std::to_string(collector.port()) + "\"" + more + "}\n";
    start(config);
  }

  std::vector<json::object> spans() const {
    std::vector<json::object> all;
    for (const Request& request : collector.requests()) {
      EXPECT_EQ(request.method + ' ' + request.target, "POST /v1/traces");
      EXPECT_EQ(request.fields["content-type"], "application/json");
      const json::value body = json::parse(request.body);
      expect_keys(body.as_object(), {"resourceSpans"});
      for (const auto& of_resource : body.at("resourceSpans").as_array()) {
        expect_keys(of_resource.as_object(), {"resource", "scopeSpans"});
        expect_attributes(of_resource.at("resource").at("attributes"));
        for (const auto& of_scope : of_resource.at("scopeSpans").as_array()) {
          expect_keys(of_scope.as_object(), {"scope", "spans"});
          for (const auto& span : of_scope.at("spans").as_array()) {
            expect_span(span.as_object());
            all.push_back(span.as_object());
          }
        }
      }
    }
    return all;
  }

  // By kind: 2 is the server's, 1 that of auth, 3 the upstream's. Waits for as many spans as there are to be.
  std::map<std::int64_t, json::object> only_trace(std::size_t count) {
    EXPECT_TRUE(eventually([&] { return spans().size() >= count; }));
    std::map<std::int64_t, json::object> by_kind;
    for (const auto& span : spans()) {
      EXPECT_TRUE(by_kind.emplace(span.at("kind").as_int64(), span).second) << "one trace was expected: " << span;
    }
    EXPECT_EQ(by_kind.size(), count);
    return by_kind;
  }

  // What a drain has still to send has been sent when the process has ended.
  void expect_nothing_sent() {
    EXPECT_EQ(keygate.stop(), (ExitStatus{0, 0}));
    EXPECT_EQ(collector.bytes(), "");
  }

  std::string metric(const std::string& name) const {
    const std::string text =
        test::ask(keygate.health_port(), "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").body;
    const auto at = text.find('\n' + name + ' ');
    return at == std::string::npos ? "(absent)"
                                   : text.substr(at + name.size() + 2, text.find('\n', at + 1) - at - name.size() - 2);
  }

  RecordingUpstream collector{take_spans};
};

TEST_F(Tracing, AGrantedRequestIsAServerSpanWithAuthAndUpstreamBelow) {
  trace(", sample: 0, service_name: edge");
  const Request sent = expect_granted(request_to("/v1/x", k1.bearer() + parent + "tracestate: rojo=1, congo=2\r\n"));
  auto by_kind = only_trace(3);
  const json::object &server = by_kind[2], &auth = by_kind[1], &up = by_kind[3];
  for (const auto& [kind, span] : by_kind) EXPECT_EQ(span.at("traceId").as_string(), parent_trace);
  EXPECT_EQ(server.at("parentSpanId").as_string(), parent_span);
  EXPECT_EQ(server.at("flags").as_int64(), 0x301) << "sampled, and its parent is elsewhere";
  EXPECT_EQ(server.at("traceState").as_string(), "rojo=1,congo=2");
  EXPECT_EQ(auth.at("parentSpanId"), server.at("spanId"));
  EXPECT_EQ(up.at("parentSpanId"), server.at("spanId"));
  EXPECT_EQ(attribute(server, "http.response.status_code"), "200");
  EXPECT_EQ(attribute(server, "url.path"), "/v1/x");
  EXPECT_EQ(attribute(server, "keygate.code"), "ok");
  EXPECT_EQ(attribute(server, "keygate.key_id"), k1.id);
  EXPECT_EQ(attribute(auth, "keygate.auth.source"), "store");
  EXPECT_NE(attribute(auth, "keygate.auth.age_ms"), "(absent)");
  EXPECT_EQ(attribute(up, "keygate.upstream"), "default");
  EXPECT_EQ(attribute(up, "http.response.status_code"), "200");
  // The upstream is below our upstream span.
  EXPECT_EQ(sent.fields["traceparent"], "00-" + parent_trace + "-" + std::string(up.at("spanId").as_string()) + "-01");
  EXPECT_EQ(sent.fields["tracestate"], "rojo=1,congo=2");
  const auto logged = keygate.wait_for_log_of("/v1/x");
  EXPECT_EQ(text_of(logged, "trace_id"), parent_trace);
  EXPECT_EQ(attribute(server, "keygate.request_id"), text_of(logged, "request_id"));
  EXPECT_NE(collector.bytes().find(R"({"key":"service.name","value":{"stringValue":"edge"}})"), std::string::npos);
  EXPECT_FALSE(keygate.is_key_in(collector.bytes()));
}

TEST_F(Tracing, ARefusedRequestHasNoUpstreamSpan) {
  trace();
  EXPECT_EQ(ask(request_to("/admin/x", k1.bearer())).status, 403);
  auto by_kind = only_trace(2);
  EXPECT_EQ(attribute(by_kind[2], "keygate.code"), "insufficient_scope");
  EXPECT_EQ(attribute(by_kind[2], "http.response.status_code"), "403");
  EXPECT_FALSE(by_kind[2].contains("status")) << "a refusal is no failure";
}

TEST_F(Tracing, WithoutAParentATraceBegins) {
  trace();
  const Request sent = expect_granted(request_to("/v1/x", k1.bearer() + "tracestate: rojo=1\r\n"));
  auto by_kind = only_trace(3);
  EXPECT_FALSE(by_kind[2].contains("parentSpanId"));
  EXPECT_EQ(std::string(by_kind[2].at("traceId").as_string()), text_of(keygate.wait_for_log_of("/v1/x"), "request_id"));
  EXPECT_TRUE(sent.fields["traceparent"].starts_with("00-" + std::string(by_kind[2].at("traceId").as_string())));
  EXPECT_FALSE(sent.fields.has("tracestate")) << "of nobody's trace";
}

TEST_F(Tracing, WhatIsNoContextDoesNotGoOn) {
  trace(", sample: 0");
  const std::string upper = "traceparent: 00-" + parent_trace + "-00F067AA0BA902B7-01\r\n";
  for (const std::string& fields : {upper, parent + parent, std::string("traceparent: \r\n")}) {
    upstream.forget();
    const Request sent = expect_granted(request_to("/v1/x", k1.bearer() + fields + "tracestate: rojo=1\r\n"));
    ASSERT_EQ(sent.fields.count("traceparent"), 1U) << fields;
    EXPECT_TRUE(std::regex_match(sent.fields["traceparent"], std::regex("00-[0-9a-f]{32}-[0-9a-f]{16}-00")))
        << sent.fields["traceparent"];
    EXPECT_EQ(sent.fields["traceparent"].find(parent_trace), std::string::npos);
    EXPECT_FALSE(sent.fields.has("tracestate"));
  }
  expect_nothing_sent();
}

TEST_F(Tracing, AClientCannotHaveEveryRequestRecorded) {
  trace(", sample: 0");
  RawClient client = keygate.connect();
  constexpr int asked = 200;
  for (int i = 0; i < asked; ++i) EXPECT_EQ(client.ask(request_to("/v1/x", k1.bearer() + parent)).status, 200);
  EXPECT_EQ(keygate.stop(), (ExitStatus{0, 0}));
  const std::size_t recorded = spans().size() / 3;
  EXPECT_GE(recorded, 10U);
  EXPECT_LT(recorded, asked) << "of a wish a second or so for each of ten";
}

// A front proxy passes on what its clients send, unless it was told otherwise: by itself its flag is one more wish.
TEST_F(Tracing, A12_ATrustedProxysFlagIsAWishUnlessItIsSaidToCount) {
  Config config;
  config.more = "trusted_proxies: [127.0.0.1]\n";
  trace(", sample: 0", config);
  RawClient client = keygate.connect();
  constexpr int asked = 200;
  for (int i = 0; i < asked; ++i) EXPECT_EQ(client.ask(request_to("/v1/x", k1.bearer() + parent)).status, 200);
  EXPECT_EQ(keygate.stop(), (ExitStatus{0, 0}));
  const auto all = spans();
  EXPECT_GE(all.size() / 3, 10U);
  EXPECT_LT(all.size() / 3, asked);
  for (const auto& span : all)
    EXPECT_EQ(span.at("traceId").as_string(), parent_trace) << "the trace goes on all the same";
}

TEST_F(Tracing, WhereItIsSaidToCountATrustedProxysFlagDoes) {
  Config config;
  config.more = "trusted_proxies: [127.0.0.1]\n";
  trace(", sample: 0, trust_parent: true", config);
  RawClient client = keygate.connect();
  for (int i = 0; i < 30; ++i) EXPECT_EQ(client.ask(request_to("/v1/x", k1.bearer() + parent)).status, 200);
  EXPECT_TRUE(eventually([&] { return spans().size() == 90; })) << spans().size();
}

TEST_F(Tracing, WhatATrustedProxyDoesNotWantRecordedIsNot) {
  Config config;
  config.more = "trusted_proxies: [127.0.0.1]\n";
  trace(", sample: 1, trust_parent: true", config);
  const std::string unsampled = "traceparent: 00-" + parent_trace + "-" + parent_span + "-00\r\n";
  EXPECT_TRUE(expect_granted(request_to("/v1/x", k1.bearer() + unsampled)).fields["traceparent"].ends_with("-00"));
  expect_nothing_sent();
}

TEST_F(Tracing, A12_AnOverlongTracestateGoesOnAsFarAsItFits) {
  trace(", sample: 0");
  const std::string member = "=" + std::string(250, 'x');
  std::string state = "a" + member + ",b" + member;
  const std::string kept = state;
  while (state.size() < 4 * 1'024) state += ",c" + member;
  const Request sent = expect_granted(request_to("/v1/x", k1.bearer() + parent + "tracestate: " + state + "\r\n"));
  EXPECT_EQ(sent.fields["tracestate"], kept) << "whole members of the first 512 bytes";
  EXPECT_TRUE(sent.fields["traceparent"].starts_with("00-" + parent_trace + "-"));
}

// Wherever a key may stand, the collector is told nothing of it.
TEST_F(Tracing, H12_TheKeyReachesNoCollector) {
  Config config;
  config.more = "credentials: {sources: [bearer, {header: x-api-key}, {cookie: session}, {query: api_key}]}\n";
  trace(", sample: 1", config);
  const std::vector<std::string> requests{
      request_to("/v1/x", k1.bearer()), request_to("/v1/x", "x-api-key: " + k1.text + "\r\n"),
      request_to("/v1/x", "Cookie: a=b; session=" + k1.text + "\r\n"), request_to("/v1/x?a=b&api_key=" + k1.text)};
  for (const std::string& request : requests) EXPECT_EQ(ask(request).status, 200) << request;
  // Where none is looked for, and in what is refused.
  EXPECT_EQ(ask(request_to("/public/x?api_key=" + k1.text, k1.bearer())).status, 200);
  EXPECT_EQ(ask(request_to("/v1/x?api_key=" + kr.text, "Cookie: session=" + k1.text + "\r\n")).status, 400);
  EXPECT_EQ(keygate.stop(), (ExitStatus{0, 0}));
  EXPECT_GE(spans().size(), 6U * 2U);
  EXPECT_FALSE(keygate.is_key_in(collector.bytes()));
  EXPECT_EQ(collector.bytes().find("api_key="), std::string::npos) << "nor of the query at all";
}

TEST_F(Tracing, WithoutACollectorAContextGoesOnAsItCame) {
  start();
  const Request sent = expect_granted(request_to("/v1/x", k1.bearer() + parent + "tracestate: rojo=1\r\n"));
  EXPECT_EQ(sent.fields["traceparent"], "00-" + parent_trace + "-" + parent_span + "-01");
  EXPECT_EQ(sent.fields["tracestate"], "rojo=1");
  EXPECT_EQ(text_of(keygate.wait_for_log_of("/v1/x"), "trace_id"), "");
  EXPECT_EQ(metric("keygate_spans_exported_total"), "(absent)");
}

TEST_F(Tracing, AFailingUpstreamIsAnErrorOfBothSpans) {
  trace();
  upstream.follow([](Turn& turn) { turn.close_with_reset(); });
  EXPECT_EQ(ask(request_with_body("/v1/x", "x", k1.bearer())).status, 502);
  auto by_kind = only_trace(3);
  EXPECT_TRUE(by_kind[2].contains("status"));
  EXPECT_TRUE(by_kind[3].contains("status"));
  EXPECT_NE(attribute(by_kind[3], "error.type"), "(absent)");
  EXPECT_EQ(attribute(by_kind[3], "http.response.status_code"), "(absent)");
}

TEST_F(Tracing, TheLastSpansGoOutWithTheDrain) {
  trace();
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_EQ(keygate.stop(), (ExitStatus{0, 0}));
  EXPECT_EQ(spans().size(), 3U);
}

TEST_F(Tracing, ACollectorThatIsBusyIsAskedAgain) {
  int asked = 0;
  collector.follow([&asked](Turn& turn) {
    turn.read_body();
    turn.answer(asked++ == 0 ? 503 : 200, "{}");
  });
  trace();
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_TRUE(eventually([&] { return collector.requests().size() == 2; }));
  const auto sent = collector.requests();
  EXPECT_EQ(sent.at(0).body, sent.at(1).body) << "the same spans";
  EXPECT_TRUE(eventually([&] { return metric("keygate_spans_exported_total") == "3"; }));
  EXPECT_EQ(metric(R"(keygate_spans_dropped_total{reason="refused"})"), "0");
}

TEST_F(Tracing, WhatTheCollectorRefusesIsCounted) {
  collector.follow([](Turn& turn) {
    turn.read_body();
    turn.answer(400, "{}");
  });
  trace();
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_TRUE(eventually([&] { return metric(R"(keygate_spans_dropped_total{reason="refused"})") == "3"; }));
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("refuses spans with status 400") != std::string::npos; }));
}

TEST_F(Tracing, AnAnswerThatIsNoneIsNotAskedForAgain) {
  collector.follow([](Turn& turn) {
    turn.read_body();
    turn.answer(200, "x", "Content-Encoding: gzip\r\n");
  });
  trace();
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_TRUE(eventually([&] { return metric(R"(keygate_spans_dropped_total{reason="refused"})") == "3"; }));
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("no answer that can be read") != std::string::npos; }));
  EXPECT_EQ(ask(request_to("/v1/y", k1.bearer())).status, 200);
  EXPECT_TRUE(eventually([&] { return metric(R"(keygate_spans_dropped_total{reason="refused"})") == "6"; }));
  const auto sent = collector.requests();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent.at(1).body.find("/v1/x"), std::string::npos) << "the first has been let go";
}

TEST_F(Tracing, AReloadInterruptsNothingWhereTheCollectorIsTheSame) {
  collector.follow([](Turn& turn) {
    turn.read_body();
    turn.hold();
    turn.answer(200, "{}");
  });
  trace();
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_TRUE(eventually([&] { return collector.held() == 1; }));
  keygate.directory().write("keygate.yaml", read_file(keygate.config_file()) + "errors: {detail: minimal}\n");
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("generation 2 is in force") != std::string::npos; }));
  collector.release();
  EXPECT_TRUE(eventually([&] { return metric("keygate_spans_exported_total") == "3"; }));
  EXPECT_EQ(collector.requests().size(), 1U) << "what was under way is not sent twice";
}

TEST_F(Tracing, ACollectorThatNeverAnswersHoldsNobodyUp) {
  collector.follow([](Turn& turn) { turn.hold(); });
  trace();
  RawClient client = keygate.connect();
  // More than the queue holds, once the first batch is on its way.
  EXPECT_EQ(client.ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_TRUE(eventually([&] { return collector.held() == 1; }));
  for (int i = 0; i < 2'300; ++i) ASSERT_EQ(client.ask(request_to("/public/x")).status, 200);
  EXPECT_TRUE(eventually([&] {
    const std::string dropped = metric(R"(keygate_spans_dropped_total{reason="queue_full"})");
    return dropped != "(absent)" && dropped != "0";
  }));
  collector.release();
}

TEST_F(Tracing, OverTlsTheCollectorIsVerified) {
  CertificateAuthority authority, stranger;
  const auto front = std::make_unique<Bridge>(BridgeEnd{.tls = tls_server(authority.issue({"IP:127.0.0.1"}))},
                                              BridgeEnd{.port = collector.port()});
  keygate.directory().write("ca.pem", stranger.certificate());
  Config config;
  config.more = "tracing: {otlp_endpoint: \"https://127.0.0.1:" + std::to_string(front->port()) +
                "\", ca_file: ca.pem, sample: 1}\n";
  start(config);
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("takes no spans") != std::string::npos; }));
  EXPECT_EQ(collector.bytes(), "") << "whom nobody vouches for is told nothing";
  // The right authority, by a reload: what was kept is sent.
  keygate.directory().write("ca.pem", authority.certificate());
  EXPECT_TRUE(eventually([&] { return spans().size() == 3; })) << keygate.errors();
}

TEST_F(Tracing, AReloadTurnsItOnAndOff) {
  start();
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  const std::string plain = read_file(keygate.config_file());
  keygate.directory().write("keygate.yaml", plain + "tracing: {otlp_endpoint: \"http://127.0.0.1:" +
                                                std::to_string(collector.port()) + "\", sample: 1}\n");
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("generation 2 is in force") != std::string::npos; }));
  EXPECT_TRUE(eventually([&] {
    EXPECT_EQ(ask(request_to("/v1/y", k1.bearer())).status, 200);
    return !spans().empty();
  }));
  keygate.directory().write("keygate.yaml", plain);
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("generation 3 is in force") != std::string::npos; }));
  EXPECT_EQ(metric("keygate_spans_exported_total"), "(absent)");
}

}  // namespace
}  // namespace keygate::test
