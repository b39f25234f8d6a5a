#include "config/tracing_reader.hpp"

#include "config/loader.hpp"

#include <gmock/gmock.h>

#include <map>

namespace keygate::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Variables = std::map<std::string, std::string>;

Loaded load(const std::string& tracing, const Variables& variables = {}) {
  LoadOptions options;
  options.environment = [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  return load_text(
      "upstream: http://a\npolicy: {routes: [{name: a, match: {path: /}, anonymous: true}]}\n"
      "resolution: {store: {path: keygate.db}}\n" +
          tracing,
      "keygate.yaml", options);
}

std::vector<std::string> problems_in(const Loaded& loaded) {
  std::vector<std::string> lines;
  for (const Problem& problem : loaded.problems) lines.push_back(render(problem));
  return lines;
}

std::string endpoint_of(const Loaded& loaded) {
  const auto& endpoint = loaded.settings->tracing.endpoint;
  return endpoint ? (endpoint->is_tls ? "https " : "http ") + endpoint->host + ' ' + std::to_string(endpoint->port) +
                        ' ' + endpoint->target
                  : "none";
}

TEST(Tracing, IsOffUnlessItIsAskedFor) {
  const Loaded loaded = load("");
  EXPECT_EQ(endpoint_of(loaded), "none");
  EXPECT_EQ(loaded.settings->tracing.sample, 0.01);
  EXPECT_EQ(loaded.settings->tracing.service_name, "keygate");
}

TEST(Tracing, TheEndpointIsTheBaseOfAllSignalsOrTheWholeAddress) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"http://127.0.0.1:4318", "http 127.0.0.1 4318 /v1/traces"},
      {"http://127.0.0.1:4318/", "http 127.0.0.1 4318 /v1/traces"},
      {"https://otel.example/team/", "https otel.example 443 /team/v1/traces"},
      {"https://otel.example/v1/traces", "https otel.example 443 /v1/traces"},
      {"'https://otel.example/v1/traces?a=b'", "https otel.example 443 /v1/traces?a=b"},
      {"'https://otel.example/?a=b'", ""},
      {"'null'", ""},
      {"null", "none"},
  };
  for (const auto& [written, meant] : rows) {
    const Loaded loaded = load("tracing: {otlp_endpoint: " + written + "}\n");
    EXPECT_EQ(loaded.settings != nullptr, !meant.empty()) << written;
    if (loaded.settings) {
      EXPECT_EQ(endpoint_of(loaded), meant);
      EXPECT_THAT(problems_in(loaded), IsEmpty());
    }
  }
}

TEST(Tracing, WarnsOfWhatGoesInClear) {
  EXPECT_THAT(
      problems_in(load("tracing: {otlp_endpoint: http://otel:4318}\n")),
      ElementsAre("keygate.yaml:4:26: warning: tracing.otlp_endpoint: who calls what goes to otel in clear; use "
                  "https://"));
}

TEST(Tracing, ACertificateNeedsTls) {
  EXPECT_THAT(problems_in(load("tracing: {otlp_endpoint: http://127.0.0.1:4318, ca_file: ca.pem}\n")),
              ElementsAre("keygate.yaml:4:58: tracing.ca_file: only https:// has certificates"));
}

TEST(Tracing, TheVariablesOfOpenTelemetryStandInForWhatTheFileLeavesOut) {
  const Variables all{{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.example"},
                      {"OTEL_SERVICE_NAME", "edge"},
                      {"OTEL_TRACES_SAMPLER_ARG", "0.25"}};
  const Loaded silent = load("", all);
  EXPECT_EQ(endpoint_of(silent), "https otel.example 443 /v1/traces");
  EXPECT_EQ(silent.settings->tracing.service_name, "edge");
  EXPECT_EQ(silent.settings->tracing.sample, 0.25);
  const Loaded outspoken = load("tracing: {otlp_endpoint: null, sample: 1}\n", all);
  EXPECT_EQ(endpoint_of(outspoken), "none");
  EXPECT_EQ(outspoken.settings->tracing.sample, 1);
  EXPECT_EQ(outspoken.settings->tracing.service_name, "edge");
}

TEST(Tracing, AVariableThatMakesNoSenseIsLetGoWithAWarning) {
  const Loaded loaded = load("", {{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"}, {"OTEL_TRACES_SAMPLER_ARG", "2"}});
  ASSERT_TRUE(loaded.settings);
  EXPECT_EQ(endpoint_of(loaded), "none");
  EXPECT_EQ(loaded.settings->tracing.sample, 0.01);
  EXPECT_THAT(problems_in(loaded),
              testing::UnorderedElementsAre(
                  testing::HasSubstr("OTEL_EXPORTER_OTLP_ENDPOINT is ignored: \"collector:4317\" is not an http://"),
                  testing::HasSubstr("OTEL_TRACES_SAMPLER_ARG is ignored: \"2\" is no number from 0 to 1")));
}

}  // namespace
}  // namespace keygate::config
