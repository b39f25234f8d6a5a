#include "config/settings_reader.hpp"

#include "tests/unit/config/loading.hpp"

#include <gmock/gmock.h>

namespace keygate::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Settings, ThreeLinesAreEnough) {
  const auto loaded = load(three_lines);
  ASSERT_THAT(rendered(loaded), IsEmpty());
  const auto& settings = *loaded.settings;
  EXPECT_EQ(settings.file, "conf/keygate.yaml");
  ASSERT_EQ(settings.listeners.size(), 1u);
  EXPECT_EQ(settings.listeners[0].host, "127.0.0.1");
  EXPECT_EQ(settings.listeners[0].port, 8080);
  const auto* upstream = settings.find_upstream("default");
  ASSERT_NE(upstream, nullptr);
  EXPECT_EQ(upstream->endpoints.at(0).host, "127.0.0.1");
  EXPECT_EQ(upstream->endpoints.at(0).port, 3000);
  EXPECT_EQ(upstream->where.line, 1);
  EXPECT_EQ(settings.find_upstream("other"), nullptr);
  EXPECT_EQ(settings.resolution.store->path, "conf/keygate.db");
  EXPECT_EQ(settings.policy.routes.at(0).match.path.value, "/{rest...}");
  EXPECT_FALSE(settings.health.has_value());
}

TEST(Settings, WhatIsNotWrittenKeepsItsDocumentedDefault) {
  const auto settings = load(three_lines).settings;
  ASSERT_NE(settings, nullptr);
  ASSERT_EQ(settings->credentials.sources.size(), 2u);
  EXPECT_EQ(settings->credentials.sources[0].kind, CredentialSource::Kind::bearer);
  EXPECT_EQ(settings->credentials.sources[1].name, "x-api-key");
  EXPECT_EQ(settings->resolution.staleness_bound, seconds{60});
  EXPECT_EQ(settings->resolution.memory.max_keys, 100'000u);
  EXPECT_EQ(settings->identity_headers.organization, "X-Org-Id");
  EXPECT_EQ(settings->limits.header_bytes, 32u * 1024);
  EXPECT_EQ(settings->limits.body_bytes, unlimited);
  EXPECT_FALSE(settings->limits.connections_written);
  EXPECT_EQ(settings->upstreams[0].retry_attempts, 1u);
  EXPECT_TRUE(settings->upstreams[0].preserve_host);
  EXPECT_TRUE(settings->trusted_proxies.empty());
}

TEST(Settings, EveryKeyReachesItsSetting) {
  const auto loaded = load(R"(version: 1
listeners:
  - address: 0.0.0.0:8081
  - {address: "[::]:8082"}
trusted_proxies: [10.0.0.0/8, "::1"]
health: {address: localhost:9901}
upstreams:
  app:
    endpoints: [http://127.0.0.1:3000]
    timeouts: {connect: 2s, response_header: 20s, idle: 90s}
    retries: {attempts: 3}
    preserve_host: false
  sandbox: {endpoints: [http://sandbox]}
credentials:
  sources: [{header: X-Token}, {query: api_key}, {cookie: session}, bearer]
  formats:
    - {prefix: rk_test_, environment: test, length: 48, checksum: crc32}
    - {prefix: rk_, environment: live, checksum: none}
    - {prefix: k_}
  forward: true
resolution:
  staleness_bound: 24h
  memory: {max_keys: 7, max_unknown_keys: 8, unknown_ttl: 9ms}
  store: {path: /var/lib/keygate.db}
identity_headers: {organization: A, key: B, user: null, scopes: C, environment: D, method: ~}
limits: {header_bytes: 8KiB, header_count: 50, target_bytes: 4KiB, body_bytes: 1MiB, connections: 10000,
         header_timeout: 1s, idle_timeout: 2s, body_idle_timeout: 3s, requests_per_connection: 4,
         connections_per_ip: 7, body_min_rate: 1KiB, request_timeout: 8s,
         tunnel_idle_timeout: 4s, tunnel_max_age: 5s,
         drain_delay: 0s, drain_timeout: 6s}
log: {level: debug, format: text, access: denied}
errors: {detail: minimal}
threads: 3
policy: {routes: [{name: a, match: {path: /}, anonymous: true}]}
)");
  ASSERT_THAT(rendered(loaded), IsEmpty());
  const auto& s = *loaded.settings;
  ASSERT_EQ(s.listeners.size(), 2u);
  EXPECT_EQ(s.listeners[0].host, "0.0.0.0");
  EXPECT_EQ(s.listeners[0].where.line, 3);
  EXPECT_EQ(s.listeners[1].host, "::");
  EXPECT_EQ(s.listeners[1].port, 8082);
  EXPECT_EQ(s.trusted_proxies.at(0).value, "10.0.0.0/8");
  EXPECT_EQ(s.trusted_proxies.at(1).value, "::1");
  EXPECT_EQ(s.health->address.host, "127.0.0.1");
  EXPECT_EQ(s.health->address.port, 9901);
  const auto& app = *s.find_upstream("app");
  EXPECT_EQ(app.where.line, 8);
  EXPECT_EQ(app.connect_timeout, seconds{2});
  EXPECT_EQ(app.response_header_timeout, seconds{20});
  EXPECT_EQ(app.idle_timeout, seconds{90});
  EXPECT_EQ(app.retry_attempts, 3u);
  EXPECT_FALSE(app.preserve_host);
  EXPECT_EQ(s.find_upstream("sandbox")->endpoints.at(0).port, 80);

  ASSERT_EQ(s.credentials.sources.size(), 4u);
  EXPECT_EQ(s.credentials.sources[0].kind, CredentialSource::Kind::header);
  EXPECT_EQ(s.credentials.sources[0].name, "x-token");
  EXPECT_EQ(s.credentials.sources[1].kind, CredentialSource::Kind::query);
  EXPECT_EQ(s.credentials.sources[1].name, "api_key");
  EXPECT_EQ(s.credentials.sources[2].kind, CredentialSource::Kind::cookie);
  EXPECT_EQ(s.credentials.sources[2].name, "session");
  EXPECT_EQ(s.credentials.sources[3].kind, CredentialSource::Kind::bearer);
  ASSERT_EQ(s.credentials.formats.size(), 3u);
  EXPECT_EQ(s.credentials.formats[0].prefix, "rk_test_");
  EXPECT_EQ(s.credentials.formats[0].environment, Environment::test);
  EXPECT_EQ(s.credentials.formats[0].length, 48u);
  EXPECT_TRUE(s.credentials.formats[0].crc32_checksum);
  EXPECT_EQ(s.credentials.formats[1].environment, Environment::live);
  EXPECT_FALSE(s.credentials.formats[1].crc32_checksum);
  EXPECT_EQ(s.credentials.formats[2].environment, Environment::none);
  EXPECT_EQ(s.credentials.formats[2].length, 0u);
  EXPECT_TRUE(s.credentials.forward);

  EXPECT_EQ(s.resolution.staleness_bound, std::chrono::hours{24});
  EXPECT_EQ(s.resolution.memory.max_keys, 7u);
  EXPECT_EQ(s.resolution.memory.max_unknown_keys, 8u);
  EXPECT_EQ(s.resolution.memory.unknown_ttl, milliseconds{9});
  EXPECT_EQ(s.resolution.store->path, "/var/lib/keygate.db");
  EXPECT_EQ(s.identity_headers.organization, "A");
  EXPECT_EQ(s.identity_headers.key, "B");
  EXPECT_EQ(s.identity_headers.user, "");
  EXPECT_EQ(s.identity_headers.scopes, "C");
  EXPECT_EQ(s.identity_headers.environment, "D");
  EXPECT_EQ(s.identity_headers.method, "");

  EXPECT_EQ(s.limits.header_bytes, 8192u);
  EXPECT_EQ(s.limits.header_count, 50u);
  EXPECT_EQ(s.limits.target_bytes, 4096u);
  EXPECT_EQ(s.limits.body_bytes, 1u << 20);
  EXPECT_EQ(s.limits.connections, 10'000u);
  EXPECT_TRUE(s.limits.connections_written);
  EXPECT_EQ(s.limits.header_timeout, seconds{1});
  EXPECT_EQ(s.limits.idle_timeout, seconds{2});
  EXPECT_EQ(s.limits.body_idle_timeout, seconds{3});
  EXPECT_EQ(s.limits.connections_per_ip, 7u);
  EXPECT_EQ(s.limits.body_min_rate, 1024u);
  EXPECT_EQ(s.limits.request_timeout, seconds{8});
  EXPECT_EQ(s.limits.tunnel_idle_timeout, seconds{4});
  EXPECT_EQ(s.limits.tunnel_max_age, seconds{5});
  EXPECT_EQ(s.limits.requests_per_connection, 4u);
  EXPECT_EQ(s.limits.drain_delay, seconds{0});
  EXPECT_EQ(s.limits.drain_timeout, seconds{6});
  EXPECT_EQ(s.log.level, LogLevel::debug);
  EXPECT_EQ(s.log.format, LogFormat::text);
  EXPECT_EQ(s.log.access, AccessLogWhich::denied);
  EXPECT_TRUE(s.minimal_errors);
  EXPECT_EQ(s.threads, 3u);
}

TEST(Settings, ListenIsShortForOneListener) {
  const auto settings = load(three_lines + "listen: 0.0.0.0:0\n").settings;
  ASSERT_NE(settings, nullptr);
  ASSERT_EQ(settings->listeners.size(), 1u);
  EXPECT_EQ(settings->listeners[0].host, "0.0.0.0");
  EXPECT_EQ(settings->listeners[0].port, 0);
}

TEST(Settings, AScalarStandsForAListOfOneSource) {
  const auto settings = load(three_lines + "credentials: {sources: bearer}\n").settings;
  ASSERT_NE(settings, nullptr);
  ASSERT_EQ(settings->credentials.sources.size(), 1u);
  EXPECT_EQ(settings->credentials.sources[0].kind, CredentialSource::Kind::bearer);
  EXPECT_EQ(load(three_lines + "credentials: {sources: {cookie: key}}\n").settings->credentials.sources.at(0).name,
            "key");
}

TEST(Settings, FaultyListenersAreNotAlsoCalledTwins) {
  EXPECT_THAT(faults_in(three_lines + "listeners: [{address: a}, {address: b}]\n"),
              ElementsAre(HasSubstr("listeners[0].address: \"a\" has no port"),
                          HasSubstr("listeners[1].address: \"b\" has no port")));
}

TEST(Settings, AnyFreePortMayBeAskedForTwice) {
  EXPECT_THAT(faults_in(three_lines + "listen: 127.0.0.1:0\nhealth: {address: 127.0.0.1:0}\n"), IsEmpty());
}

struct RangeRow {
  std::string key;
  std::string below;  // empty: nothing is
  std::string least;
  std::string most;
  std::string above;
};

TEST(Settings, LimitsHoldAtBothEndsOfTheirRange) {
  const std::vector<RangeRow> rows{
      {"header_bytes", "4095", "4KiB", "256KiB", "262145"},
      {"header_count", "0", "1", "128", "129"},
      {"target_bytes", "63", "64", "64KiB", "65537"},
      {"connections", "0", "1", "1000000", "1000001"},
      {"connections_per_ip", "", "0", "1000000", "1000001"},
      {"body_min_rate", "", "0", "1GiB", "1073741825"},
      {"request_timeout", "", "0s", "24h", "86400001ms"},
      {"header_timeout", "9ms", "10ms", "1h", "3600001ms"},
      {"idle_timeout", "9ms", "10ms", "24h", "86400001ms"},
      {"body_idle_timeout", "9ms", "10ms", "1h", "3600001ms"},
      {"tunnel_idle_timeout", "9ms", "10ms", "24h", "86400001ms"},
      {"tunnel_max_age", "9ms", "10ms", "24h", "86400001ms"},
      {"requests_per_connection", "", "0", "1000000000", "1000000001"},
      {"drain_delay", "", "0s", "10m", "11m"},
      {"drain_timeout", "", "0s", "1h", "2h"},
  };
  const auto fits = [](const RangeRow& row, const std::string& value) {
    return load(three_lines + "limits: {" + row.key + ": " + value + "}\n").settings != nullptr;
  };
  for (const auto& row : rows) {
    if (!row.below.empty()) {
      EXPECT_FALSE(fits(row, row.below)) << row.key;
    }
    EXPECT_TRUE(fits(row, row.least)) << row.key;
    EXPECT_TRUE(fits(row, row.most)) << row.key;
    EXPECT_FALSE(fits(row, row.above)) << row.key;
  }
}

TEST(Settings, StalenessBoundIsOneSecondToOneDay) {
  const auto fits = [](const std::string& bound) {
    return load(
               "upstream: http://a\npolicy: {routes: [{name: a, match: {path: /}, anonymous: true}]}\n"
               "resolution: {staleness_bound: " +
               bound + ", store: {path: k}}\n")
               .settings != nullptr;
  };
  EXPECT_TRUE(fits("1s"));
  EXPECT_TRUE(fits("24h"));
  EXPECT_FALSE(fits("999ms"));
  EXPECT_FALSE(fits("25h"));
}

// What a key server needs, and no more.
const std::string key_server = R"(policy: {scopes: {"projects:read": List projects}}
resolution: {store: {path: keygate.db}}
key_service: {token_file: token, admin_token_file: admin}
)";

Loaded load_key_server(const std::string& yaml) {
  LoadOptions options;
  options.purpose = Purpose::key_server;
  return load_text(yaml, "conf/keygate.yaml", options);
}

TEST(KeyServerSettings, NeedNeitherUpstreamNorRoutes) {
  const Loaded loaded = load_key_server(key_server);
  ASSERT_THAT(rendered(loaded), IsEmpty());
  EXPECT_EQ(loaded.settings->resolution.store->path, "conf/keygate.db");
  EXPECT_EQ(loaded.settings->key_service.token->text, "conf/token");
  EXPECT_EQ(loaded.settings->key_service.admin_token->text, "conf/admin");
  EXPECT_FALSE(loaded.settings->key_service.manage_token);
  EXPECT_EQ(loaded.settings->listeners.size(), 1u);
}

TEST(KeyServerSettings, AreNoProxysSettings) {
  EXPECT_THAT(faults_in(key_server), testing::Contains(HasSubstr("\"upstream\" is missing")));
  EXPECT_THAT(faults_in(key_server), testing::Contains(HasSubstr("\"routes\" is missing")));
}

TEST(KeyServerSettings, MayBeAProxysTooSoThatOneFileServesBoth) {
  EXPECT_THAT(rendered(load_key_server(three_lines + "key_service: {token_file: token}\n")), IsEmpty());
}

TEST(KeyServerSettings, NeedAStoreOfTheirOwn) {
  const std::string service =
      "policy: {scopes: {admin: All}}\nresolution: {service: {url: 'http://127.0.0.1:1/v1/keys/verify'}}\n"
      "key_service: {token_file: token}\n";
  EXPECT_THAT(rendered(load_key_server(service)),
              ElementsAre(HasSubstr("resolution.service: a key server answers from its own store")));
}

TEST(KeyServerSettings, NeedATokenOrNobodyCouldAsk) {
  EXPECT_THAT(rendered(load_key_server("policy: {scopes: {admin: All}}\nresolution: {store: {path: k.db}}\n")),
              ElementsAre(HasSubstr("names no token")));
}

}  // namespace
}  // namespace keygate::config
