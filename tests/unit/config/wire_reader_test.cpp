// Listeners and upstreams: TLS, unix sockets, the PROXY protocol, and what of it contradicts itself.
#include "tests/unit/config/loading.hpp"

#include <gmock/gmock.h>

namespace keygate::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string in_listener(const std::string& more) {
  return three_lines + "listeners:\n  - address: 127.0.0.1:8443\n    " + more + "\n";
}

std::string upstream_with(const std::string& more) {
  return "upstreams: {app: {" + more +
         "}}\npolicy: {routes: [{name: all, match: {path: '/{rest...}'}, anonymous: true}]}\n"
         "resolution: {store: {path: keygate.db}}\n";
}

TEST(ListenerTls, EveryKeyReachesItsSetting) {
  const auto loaded = load(in_listener(
      "tls: {certificate_file: a.crt, private_key_file: /a.key, client_ca_file: ca.crt, client_certificate: optional, "
      "min_version: \"1.3\"}"));
  ASSERT_THAT(rendered(loaded), IsEmpty());
  const ListenerSettings& listener = loaded.settings->listeners.at(0);
  ASSERT_TRUE(listener.tls);
  EXPECT_EQ(listener.tls->certificate_file, "conf/a.crt");
  EXPECT_EQ(listener.tls->private_key_file, "/a.key");
  EXPECT_EQ(listener.tls->client_ca_file, "conf/ca.crt");
  EXPECT_EQ(listener.tls->client_certificate, ClientCertificate::optional);
  EXPECT_TRUE(listener.tls->needs_tls13);
  EXPECT_FALSE(listener.proxy_protocol);
}

TEST(ListenerTls, WhoIsAskedAndWhoIsTrustedGoTogether) {
  EXPECT_THAT(faults_in(in_listener("tls: {certificate_file: c, private_key_file: k, client_certificate: required}")),
              ElementsAre(HasSubstr("nobody is trusted to issue one; write client_ca_file")));
  EXPECT_THAT(faults_in(in_listener("tls: {certificate_file: c, private_key_file: k, client_ca_file: a}")),
              ElementsAre(HasSubstr("no client is asked for a certificate; write client_certificate: required")));
  EXPECT_THAT(faults_in(in_listener("tls: {certificate_file: c}")),
              ElementsAre(HasSubstr("\"private_key_file\" is missing")));
}

TEST(Listener, ProxyHeadersNeedSomebodyToBelieve) {
  EXPECT_THAT(faults_in(in_listener("proxy_protocol: true")),
              ElementsAre(HasSubstr("PROXY headers are believed from trusted_proxies alone, and there are none")));
  EXPECT_THAT(faults_in(in_listener("proxy_protocol: true") + "trusted_proxies: [10.0.0.0/8]\n"), IsEmpty());
  EXPECT_THAT(faults_in(three_lines + "listeners: [{address: \"unix:a.sock\", proxy_protocol: true}]\n"), IsEmpty());
}

TEST(Listener, AUnixSocketStandsBesideTheFile) {
  const auto loaded = load(three_lines + "listen: unix:a.sock\n");
  ASSERT_THAT(rendered(loaded), IsEmpty());
  EXPECT_EQ(loaded.settings->listeners.at(0).socket, "conf/a.sock");
  EXPECT_EQ(name_of(loaded.settings->listeners.at(0)), "unix:conf/a.sock");
}

TEST(Listener, AUnixSocketIsListenedOnOnceAndIsNoPlaceForProbes) {
  EXPECT_THAT(faults_in(three_lines + "listen: unix:a.sock\nlisteners: [{address: \"unix:a.sock\"}]\n"),
              ElementsAre(HasSubstr("\"unix:conf/a.sock\" is listened on twice")));
  EXPECT_THAT(faults_in(three_lines + "health: {address: \"unix:a.sock\"}\n"),
              ElementsAre(HasSubstr("probes come over TCP")));
  EXPECT_THAT(faults_in(three_lines + "listen: unix:/" + std::string(107, 'a') + "\n"),
              ElementsAre(HasSubstr("is longer than the 107 bytes")));
}

TEST(UpstreamTls, EveryKeyReachesItsSetting) {
  const auto loaded = load(upstream_with(
      "endpoints: [https://a], tls: {ca_file: ca.pem, server_name: api.internal, certificate_file: c.crt, "
      "private_key_file: c.key}"));
  ASSERT_THAT(rendered(loaded), IsEmpty());
  const UpstreamSettings& upstream = loaded.settings->upstreams.at(0);
  EXPECT_TRUE(upstream.endpoints.at(0).is_tls);
  EXPECT_EQ(upstream.endpoints.at(0).port, 443);
  EXPECT_EQ(upstream.tls.ca_file, "conf/ca.pem");
  EXPECT_EQ(upstream.tls.server_name, "api.internal");
  EXPECT_EQ(upstream.tls.certificate_file, "conf/c.crt");
  EXPECT_EQ(upstream.tls.private_key_file, "conf/c.key");
}

TEST(UpstreamTls, DoesNotContradictItself) {
  EXPECT_THAT(faults_in(upstream_with("endpoints: [http://a], tls: {ca_file: ca.pem}")),
              ElementsAre(HasSubstr("none of the endpoints speaks TLS; write https:// where they do")));
  EXPECT_THAT(faults_in(upstream_with("endpoints: [https://a], tls: {certificate_file: c}")),
              ElementsAre(HasSubstr("a certificate and its key go together")));
  EXPECT_THAT(faults_in(upstream_with("endpoints: [https://a], tls: {server_name: \"a/b\"}")),
              ElementsAre(HasSubstr("\"a/b\" is no host name or address")));
}

TEST(Upstream, AUnixSocketStandsBesideTheFile) {
  const auto loaded = load(upstream_with("endpoints: [\"unix:app.sock\"]"));
  ASSERT_THAT(rendered(loaded), IsEmpty());
  EXPECT_EQ(loaded.settings->upstreams.at(0).endpoints.at(0).socket, "conf/app.sock");
}

TEST(Upstream, EndpointsBalanceAndConnectionsReachTheirSettings) {
  const auto loaded =
      load(upstream_with("endpoints: [http://a, \"https://b:8443\"], balance: least_requests, max_connections: 7"));
  ASSERT_THAT(rendered(loaded), IsEmpty());
  const UpstreamSettings& upstream = loaded.settings->upstreams.at(0);
  EXPECT_EQ(upstream.endpoints.at(0).host, "a");
  EXPECT_EQ(upstream.endpoints.at(1).port, 8443);
  EXPECT_EQ(upstream.balance, Balance::least_requests);
  EXPECT_EQ(upstream.max_connections, 7U);
}

TEST(Upstream, EndpointsAreFewAndNoneStandsThereTwice) {
  EXPECT_THAT(faults_in(upstream_with("endpoints: [http://a, http://b, \"http://b:80\"]")),
              ElementsAre(HasSubstr("endpoints: this endpoint stands in the list twice; write it once")));
  std::string many;
  for (int i = 0; i < 65; ++i) many += (i == 0 ? "" : ", ") + ("http://a" + std::to_string(i));
  EXPECT_THAT(faults_in(upstream_with("endpoints: [" + many + "]")),
              ElementsAre(HasSubstr("there are 65 endpoints; an upstream has at most 64")));
  EXPECT_THAT(faults_in(upstream_with("endpoints: [http://a], balance: random")),
              ElementsAre(HasSubstr("round_robin")));
  EXPECT_THAT(faults_in(upstream_with("endpoints: [http://a], max_connections: 0")),
              ElementsAre(HasSubstr("max_connections")));
  EXPECT_THAT(faults_in(upstream_with("endpoints: [http://a], max_connections: 3") + "threads: 4\n"),
              ElementsAre(HasSubstr("has fewer connections than there are threads; each needs one")));
}

TEST(Upstream, AHealthCheckReachesItsSettings) {
  const auto defaults = load(upstream_with("endpoints: [http://a], health_check: {path: /healthz}"));
  ASSERT_THAT(rendered(defaults), IsEmpty());
  const auto& plain = defaults.settings->upstreams.at(0).health_check;
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->path, "/healthz");
  EXPECT_EQ(plain->interval, std::chrono::seconds(5));
  EXPECT_EQ(plain->timeout, std::chrono::seconds(1));
  EXPECT_EQ(plain->unhealthy_after, 3U);
  EXPECT_EQ(plain->healthy_after, 2U);
  const auto all = load(upstream_with(
      "endpoints: [http://a], health_check: {path: \"/up?deep=1\", interval: 250ms, timeout: 2s, unhealthy_after: 1, "
      "healthy_after: 9}"));
  ASSERT_THAT(rendered(all), IsEmpty());
  const auto& check = all.settings->upstreams.at(0).health_check;
  EXPECT_EQ(check->path, "/up?deep=1");
  EXPECT_EQ(check->interval, std::chrono::milliseconds(250));
  EXPECT_EQ(check->timeout, std::chrono::seconds(2));
  EXPECT_EQ(check->unhealthy_after, 1U);
  EXPECT_EQ(check->healthy_after, 9U);
}

TEST(Upstream, AHealthCheckThatCannotBeIsRefused) {
  EXPECT_THAT(faults_in(upstream_with("endpoints: [http://a], health_check: {interval: 5s}")),
              ElementsAre(HasSubstr("path")));
  for (const char* const path : {"healthz", "\"/a b\"", "\"/a#b\"", "\"/a\\r\\nX: y\"", "http://a/healthz"}) {
    EXPECT_THAT(faults_in(upstream_with("endpoints: [http://a], health_check: {path: " + std::string(path) + "}")),
                ElementsAre(HasSubstr("health_check.path")))
        << path;
  }
}

}  // namespace
}  // namespace keygate::config
