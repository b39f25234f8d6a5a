#include "config/tracing_reader.hpp"

#include "config/loader.hpp"

#include <gmock/gmock.h>

#include <map>

namespace keygate::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
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

std::string taken(const Loaded& loaded) {
  std::string text;
  for (const auto& [key, name] : loaded.settings->tracing.taken)
    text += std::string(key) + ' ' + std::string(name) + ", ";
  return text;
}

TEST(Tracing, IsOffUnlessItIsAskedFor) {
  const Loaded loaded = load("");
  EXPECT_EQ(endpoint_of(loaded), "none");
  EXPECT_EQ(loaded.settings->tracing.sample, 0.01);
  EXPECT_EQ(loaded.settings->tracing.service_name, "keygate");
  EXPECT_FALSE(loaded.settings->tracing.trust_parent);
  EXPECT_TRUE(load("tracing: {trust_parent: true}\n").settings->tracing.trust_parent);
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
  EXPECT_EQ(
      taken(silent),
      "otlp_endpoint OTEL_EXPORTER_OTLP_ENDPOINT, service_name OTEL_SERVICE_NAME, sample OTEL_TRACES_SAMPLER_ARG, ");
  const Loaded outspoken = load("tracing: {otlp_endpoint: http://127.0.0.1:1, sample: 1}\n", all);
  EXPECT_EQ(endpoint_of(outspoken), "http 127.0.0.1 1 /v1/traces");
  EXPECT_EQ(outspoken.settings->tracing.sample, 1);
  EXPECT_EQ(outspoken.settings->tracing.service_name, "edge");
  EXPECT_EQ(taken(outspoken), "service_name OTEL_SERVICE_NAME, ");
}

TEST(Tracing, WhereTheFileTurnsItOffNoVariableIsLookedAt) {
  const Loaded off = load("tracing: {otlp_endpoint: null}\n",
                          {{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.example"}, {"OTEL_TRACES_SAMPLER_ARG", "2"}});
  EXPECT_EQ(endpoint_of(off), "none");
  EXPECT_EQ(taken(off), "");
  EXPECT_THAT(problems_in(off), IsEmpty());
}

TEST(Tracing, AVariableThatMakesNoSenseIsLetGoWithAWarning) {
  const Loaded loaded = load("", {{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"},
                                  {"OTEL_TRACES_SAMPLER_ARG", "2"},
                                  {"OTEL_SERVICE_NAME", "a\xff"},
                                  {"OTEL_TRACES_EXPORTER", "zipkin"},
                                  {"OTEL_SDK_DISABLED", "maybe"}});
  ASSERT_TRUE(loaded.settings);
  EXPECT_EQ(endpoint_of(loaded), "none");
  EXPECT_EQ(loaded.settings->tracing.sample, 0.01);
  EXPECT_EQ(loaded.settings->tracing.service_name, "keygate");
  EXPECT_EQ(taken(loaded), "");
  EXPECT_THAT(problems_in(loaded),
              testing::UnorderedElementsAre(
                  HasSubstr("OTEL_EXPORTER_OTLP_ENDPOINT is ignored: this is no http:// or https:// URL"),
                  HasSubstr("OTEL_TRACES_SAMPLER_ARG is ignored: it is no number from 0 to 1"),
                  HasSubstr("OTEL_SERVICE_NAME is ignored: it is no single line of UTF-8 text"),
                  HasSubstr("OTEL_TRACES_EXPORTER is ignored: it is neither otlp nor none"),
                  HasSubstr("OTEL_SDK_DISABLED is ignored: it is neither true nor false")));
}

TEST(Tracing, ServiceNamesOfVariablesAreHeldToTheRulesOfTheFile) {
  for (const std::string& bad : {std::string(129, 'a'), std::string("a\nb"), std::string("a\x1b[2J")}) {
    const Loaded loaded = load("", {{"OTEL_SERVICE_NAME", bad}});
    EXPECT_EQ(loaded.settings->tracing.service_name, "keygate");
    EXPECT_THAT(problems_in(loaded), ElementsAre(HasSubstr("OTEL_SERVICE_NAME is ignored")));
  }
  EXPECT_EQ(load("", {{"OTEL_SERVICE_NAME", "caf\xc3\xa9"}}).settings->tracing.service_name, "caf\xc3\xa9");
}

TEST(Tracing, AnEndpointOfAVariableIsHeldToTheRulesOfTheFile) {
  const Variables clear{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:4318"}};
  const Loaded warned = load("", clear);
  EXPECT_EQ(endpoint_of(warned), "http otel 4318 /v1/traces");
  EXPECT_THAT(problems_in(warned), ElementsAre(HasSubstr("OTEL_EXPORTER_OTLP_ENDPOINT is no https:// URL: who calls "
                                                         "what goes there in clear; use https://")));
  const Loaded refused = load("tracing: {ca_file: ca.pem}\n", clear);
  EXPECT_EQ(endpoint_of(refused), "none") << "whoever names a certificate wants it looked at";
  EXPECT_THAT(problems_in(refused), ElementsAre(HasSubstr("tracing.ca_file is written, and only https://")));
}

TEST(Tracing, TheSwitchesOfOpenTelemetryTurnOffWhatAVariableTurnedOn) {
  for (const auto& [name, value] : Variables{{"OTEL_SDK_DISABLED", "True"}, {"OTEL_TRACES_EXPORTER", "none"}}) {
    const Variables both{{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.example"}, {name, value}};
    EXPECT_EQ(endpoint_of(load("", both)), "none") << name;
    EXPECT_THAT(problems_in(load("", both)), IsEmpty());
    EXPECT_EQ(endpoint_of(load("tracing: {otlp_endpoint: https://a}\n", both)), "https a 443 /v1/traces");
  }
  const Variables on{{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.example"},
                     {"OTEL_SDK_DISABLED", "false"},
                     {"OTEL_TRACES_EXPORTER", "otlp"}};
  EXPECT_EQ(endpoint_of(load("", on)), "https otel.example 443 /v1/traces");
  EXPECT_THAT(problems_in(load("", on)), IsEmpty());
}

TEST(Tracing, TheSamplersOfOpenTelemetryAreShares) {
  struct Row {
    std::string sampler, number;
    double share;
    std::string variable;
  };
  const std::vector<Row> rows{{"always_on", "0.5", 1, "sample OTEL_TRACES_SAMPLER, "},
                              {"always_off", "", 0, "sample OTEL_TRACES_SAMPLER, "},
                              {"parentbased_always_on", "", 1, "sample OTEL_TRACES_SAMPLER, "},
                              {"parentbased_always_off", "", 0, "sample OTEL_TRACES_SAMPLER, "},
                              {"traceidratio", "0.5", 0.5, "sample OTEL_TRACES_SAMPLER_ARG, "},
                              {"parentbased_traceidratio", "0.5", 0.5, "sample OTEL_TRACES_SAMPLER_ARG, "},
                              {"traceidratio", "", 1, "sample OTEL_TRACES_SAMPLER, "},
                              {"", "0.5", 0.5, "sample OTEL_TRACES_SAMPLER_ARG, "},
                              {"xray", "0.5", 0.01, ""}};
  for (const Row& row : rows) {
    const Loaded loaded = load("", {{"OTEL_TRACES_SAMPLER", row.sampler}, {"OTEL_TRACES_SAMPLER_ARG", row.number}});
    EXPECT_EQ(loaded.settings->tracing.sample, row.share) << row.sampler << row.number;
    EXPECT_EQ(taken(loaded), row.variable) << row.sampler << row.number;
    EXPECT_EQ(problems_in(loaded).size(), row.sampler == "xray" ? 1U : 0U) << row.sampler;
  }
}

// Where the address has a fault, a token in it stands in no message.
TEST(Tracing, ShowsNoSecretInItsFaults) {
  for (const std::string url :
       {"https://otel/?key=hunter2", "https://hunter2@otel", "https://me:hunter2@otel", "otel?hunter2", "hunter2",
        "https://otel/#hunter2", "https://otel:99999/v1/traces?hunter2", "https://otel/ hunter2"}) {
    for (const Loaded& loaded :
         {load("tracing: {otlp_endpoint: '" + url + "'}\n"), load("", {{"OTEL_EXPORTER_OTLP_ENDPOINT", url}})}) {
      ASSERT_EQ(problems_in(loaded).size(), 1U) << url;
      EXPECT_THAT(problems_in(loaded).front(), testing::Not(HasSubstr("hunter2")));
    }
  }
  const Loaded others = load("", {{"OTEL_TRACES_SAMPLER", "hunter2"},
                                  {"OTEL_TRACES_SAMPLER_ARG", "hunter2"},
                                  {"OTEL_SERVICE_NAME", "hunter2\n"},
                                  {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://hunter2"},
                                  {"OTEL_TRACES_EXPORTER", "hunter2"},
                                  {"OTEL_SDK_DISABLED", "hunter2"}});
  ASSERT_EQ(problems_in(others).size(), 5U);
  for (const std::string& line : problems_in(others)) EXPECT_THAT(line, testing::Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace keygate::config
