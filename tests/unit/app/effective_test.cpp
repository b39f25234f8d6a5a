#include "app/effective.hpp"

#include "app/settings_json.hpp"
#include "config/loader.hpp"

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>

#include <map>
#include <sstream>

namespace keygate::app {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view least =
    "upstream: http://127.0.0.1:3000\n"
    "resolution: {store: {path: keys.db}}\n"
    "policy: policies/main.yaml\n";

config::EnvironmentLookup with(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

struct Printed {
  std::string yaml;
  boost::json::object json;
};

// The policy is no part of it, so a file of its own is not asked for here.
std::string loadable(std::string text) {
  const std::string named = "policy: policies/main.yaml\n";
  const auto at = text.find(named);
  const std::string inline_policy = "policy: {routes: [{name: a, match: {path: /}, anonymous: true}]}\n";
  return at == std::string::npos ? text + inline_policy : text.replace(at, named.size(), inline_policy);
}

Printed printed(const std::string& text, const config::EnvironmentLookup& environment = with({})) {
  config::LoadOptions options;
  options.environment = environment;
  const auto loaded = config::load_text(loadable(text), "/etc/keygate/keygate.yaml", options);
  for (const auto& problem : loaded.problems) EXPECT_EQ(problem.severity, config::Severity::warning) << render(problem);
  if (!loaded.settings) return {};
  const auto written = config::Written::read(text, "/etc/keygate/keygate.yaml");
  const Effective all = effective(*loaded.settings, written, environment);
  std::ostringstream out;
  print_yaml(out, all, environment, {});
  return {out.str(), effective_json(all)};
}

// "origin value" of a path.
std::string row(const boost::json::object& all, std::string_view path) {
  for (const auto& value : all.at("values").as_array()) {
    const auto& one = value.as_object();
    if (one.at("path").as_string() != boost::json::string_view(path.data(), path.size())) continue;
    std::string text = one.at("origin").as_string().c_str();
    if (one.contains("line")) text += ' ' + std::to_string(one.at("line").as_int64());
    if (one.contains("variable")) text += std::string(" ") + one.at("variable").as_string().c_str();
    if (one.contains("variables")) text += ' ' + boost::json::serialize(one.at("variables"));
    return text + ' ' + boost::json::serialize(one.at("value"));
  }
  return "not there";
}

TEST(ConfigPrint, SaysWhereEachValueComesFrom) {
  const Printed all = printed(std::string(least) +
                                  "limits:\n  header_timeout: 5s\n  idle_timeout: ${IDLE:-30s}\n  connections: 500\n"
                                  "log:\n  level: ${LEVEL}\n",
                              with({{"LEVEL", "warn"}}));
  EXPECT_EQ(row(all.json, "limits.header_timeout"), R"(file 5 "5s")");
  EXPECT_EQ(row(all.json, "limits.idle_timeout"), R"(file 6 ["IDLE"] "30s")");
  EXPECT_EQ(row(all.json, "limits.connections"), "file 7 500");
  EXPECT_EQ(row(all.json, "limits.drain_delay"), R"(default "2s")");
  EXPECT_EQ(row(all.json, "log.level"), R"(file 9 ["LEVEL"] "warn")");
  EXPECT_EQ(row(all.json, "policy"), R"(file 3 "/etc/keygate/policies/main.yaml")");
  EXPECT_THAT(all.yaml, HasSubstr("  header_timeout: 5s                        # /etc/keygate/keygate.yaml:5\n"));
  EXPECT_THAT(all.yaml, HasSubstr("# /etc/keygate/keygate.yaml:6, ${IDLE}, which is not set\n"));
  EXPECT_THAT(all.yaml, HasSubstr("# /etc/keygate/keygate.yaml:9, ${LEVEL} of the environment\n"));
  EXPECT_THAT(all.yaml, HasSubstr("  drain_delay: 2s                           # default\n"));
}

TEST(ConfigPrint, ShorthandsAreToldAsWhatTheyStandFor) {
  const Printed all = printed("listen: 127.0.0.1:9000\n" + std::string(least) +
                              "listeners: [{address: \"127.0.0.1:9001\", proxy_protocol: true}]\n"
                              "trusted_proxies: [10.0.0.0/8]\n"
                              "upstreams: {other: {endpoints: [http://b:81], retries: {attempts: 2}}}\n"
                              "credentials: {sources: bearer}\n");
  EXPECT_EQ(row(all.json, "listeners[0].address"), R"(file 1 "127.0.0.1:9000")");
  EXPECT_EQ(row(all.json, "listeners[0].proxy_protocol"), "default false");
  EXPECT_EQ(row(all.json, "listeners[1].address"), R"(file 5 "127.0.0.1:9001")");
  EXPECT_EQ(row(all.json, "listeners[1].proxy_protocol"), "file 5 true");
  EXPECT_EQ(row(all.json, "listeners[1].mode"), R"(default "proxy")");
  EXPECT_EQ(row(all.json, "upstreams.default.endpoints[0]"), R"(file 2 "http://127.0.0.1:3000")");
  EXPECT_EQ(row(all.json, "upstreams.default.timeouts.connect"), R"(default "1s")");
  EXPECT_EQ(row(all.json, "upstreams.other.retries.attempts"), "file 7 2");
  EXPECT_EQ(row(all.json, "upstreams.other.balance"), R"(default "round_robin")");
  EXPECT_EQ(row(all.json, "credentials.sources[0]"), R"(file 8 "bearer")");
}

TEST(ConfigPrint, WithoutAListenerTheDefaultOneIsThere) {
  EXPECT_EQ(row(printed(std::string(least)).json, "listeners[0].address"), R"(default "127.0.0.1:8080")");
}

TEST(ConfigPrint, NamesTheVariableThatStandsInForAKey) {
  const auto environment = with({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"}, {"OTEL_SERVICE_NAME", "x"}});
  const Printed all = printed(std::string(least) + "tracing: {service_name: edge}\n", environment);
  EXPECT_EQ(row(all.json, "tracing.otlp_endpoint"),
            R"(environment OTEL_EXPORTER_OTLP_ENDPOINT "http://127.0.0.1:4318/v1/traces")");
  EXPECT_EQ(row(all.json, "tracing.service_name"), R"(file 4 "edge")");
  EXPECT_THAT(all.yaml, HasSubstr("# OTEL_EXPORTER_OTLP_ENDPOINT of the environment\n"));
}

TEST(ConfigPrint, AVariableThatWasLetGoIsNobodysOrigin) {
  const auto environment = with({{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"},
                                 {"OTEL_TRACES_SAMPLER_ARG", "2"},
                                 {"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"}});
  const Printed all = printed(std::string(least), environment);
  EXPECT_EQ(row(all.json, "tracing.otlp_endpoint"), "default null");
  EXPECT_EQ(row(all.json, "tracing.sample"), "environment OTEL_TRACES_SAMPLER 1E0");
}

TEST(ConfigPrint, OfAKeyServerNoVariableIsTheOrigin) {
  const std::string text =
      "policy: {scopes: {a: A}}\nresolution: {store: {path: keys.db}}\nlisten: 127.0.0.1:9000\n"
      "key_service: {token_file: a, admin_token_file: b}\n";
  config::LoadOptions options;
  options.purpose = config::Purpose::key_server;
  options.environment = with({{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel"}});
  const auto loaded = config::load_text(text, "keygate.yaml", options);
  ASSERT_TRUE(loaded.settings) << render(loaded.problems.front());
  const auto written = config::Written::read(text, "keygate.yaml");
  EXPECT_EQ(row(effective_json(effective(*loaded.settings, written, options.environment)), "tracing.otlp_endpoint"),
            "default null");
}

// What YAML would read as nothing, a boolean or a number is quoted, however it is spelt.
TEST(ConfigPrint, TextThatLooksLikeSomethingElseIsQuoted) {
  for (const std::string name :
       {"null", "Null", "NULL", "~", "True", "FALSE", "Yes", "oN", "N", ".inf", "0x1f", "1e3"}) {
    const Printed all = printed(std::string(least) + "tracing: {service_name: \"" + name + "\"}\n");
    EXPECT_THAT(all.yaml, HasSubstr("  service_name: \"" + name + "\" ")) << name;
  }
  EXPECT_THAT(printed(std::string(least) + "tracing: {service_name: nullable}\n").yaml,
              HasSubstr("  service_name: nullable "));
}

TEST(ConfigPrint, TheSmallestShareIsPrintedInFull) {
  const std::string tiny = "0." + std::string(200, '0') + "1";
  EXPECT_THAT(printed(std::string(least) + "tracing: {sample: " + tiny + "}\n").yaml,
              HasSubstr("sample: " + tiny + " "));
}

TEST(ConfigPrint, ShowsNoSecret) {
  const Printed all = printed(
      "upstream: http://127.0.0.1:3000\npolicy: policies/main.yaml\n"
      "resolution:\n  service: {url: \"https://keys/verify?token=hunter2\", token_file: token}\n"
      "  redis: {url: \"redis://me:hunter2@127.0.0.1:6379/3\"}\n"
      "credentials: {admin_secrets: [{name: d, secret: hunter2-hunter2-hunter2-hunter2-hunter2, scopes: a}]}\n"
      "tracing: {otlp_endpoint: \"https://otel/v1/traces?key=hunter2\"}\n");
  EXPECT_THAT(all.yaml, Not(HasSubstr("hunter2")));
  EXPECT_THAT(boost::json::serialize(all.json), Not(HasSubstr("hunter2")));
  EXPECT_EQ(row(all.json, "credentials.admin_secrets[0].secret"), R"(file 6 "***")");
  EXPECT_EQ(row(all.json, "resolution.redis.url"), R"(file 5 "redis://me:***@127.0.0.1:6379/3")");
  EXPECT_EQ(row(all.json, "resolution.service.token_file"), R"(file 4 "/etc/keygate/token")");
}

// What is printed is a configuration again, and means the same.
TEST(ConfigPrint, CanBeLoadedAgain) {
  const std::string all_kinds =
      "listeners:\n  - {address: \"[::1]:8080\"}\n  - {address: \"unix:a $$b.sock\", mode: authorize, authorize: "
      "{dialect: envoy}}\n"
      "upstreams:\n  app:\n    endpoints: [https://a:8443, http://127.0.0.1:1]\n    tls: {server_name: "
      "\"10.example\"}\n"
      "    health_check: {path: /x}\n    authorization_file: 'a #b'\n  one: {endpoints: [http://b]}\n"
      "resolution:\n  stale_if_error: 90s\n  unknown_key_budget: {per_ip: 0/s}\n  service: {url: https://k/v, dialect: "
      "custom,\n"
      "    mapping: {valid: /a, key_id: /b, user: null}, session_url: https://k/s, session_scopes: [a, b]}\n"
      "credentials: {formats: [{prefix: rk_test_, environment: test, length: 48, checksum: crc32}],\n"
      "  sources: [bearer, {header: x-api-key}, {cookie: s}], admin_secrets: [{name: \"1\", secret_env: NAME, scopes: "
      "a}]}\n"
      "identity_headers: {user: null}\nlimits: {body_bytes: unlimited, header_timeout: 250ms, request_timeout: 0s}\n"
      "health: {address: 127.0.0.1:9901, forward: {/a/b.c: one, /d: {upstream: one, path: '/e?f=$$g', timeout: 9ms}}}\n"
      "sidecar: {bypass: not_ready}\nadmin: {address: \"unix:admin.sock\", token_file: t}\n"
      "log: {access: denied}\nerrors: {detail: minimal}\nthreads: 3\ntracing: {sample: 0.125, service_name: \"null\"}\n"
      "trusted_proxies: [10.0.0.0/8, \"::1\"]\n";
  const auto load = [](const std::string& text) {
    config::LoadOptions options;
    options.environment = with({});
    return config::load_text(text, "/etc/keygate/keygate.yaml", options);
  };
  const auto first = load(loadable(all_kinds));
  ASSERT_TRUE(first.settings) << render(first.problems.front());
  const auto written = config::Written::read(all_kinds, "/etc/keygate/keygate.yaml");
  std::ostringstream out;
  Effective all = effective(*first.settings, written, with({}));
  all.members.pop_back();  // the policy
  print_yaml(out, all, with({}), {});
  const auto again = load(loadable(out.str()));
  ASSERT_TRUE(again.settings) << render(again.problems.front()) << '\n' << out.str();
  EXPECT_EQ(boost::json::serialize(settings_json(*again.settings)),
            boost::json::serialize(settings_json(*first.settings)))
      << out.str();
}

}  // namespace
}  // namespace keygate::app
