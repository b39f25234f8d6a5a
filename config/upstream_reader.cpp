#include "config/upstream_reader.hpp"

#include "config/address.hpp"
#include "config/collection_readers.hpp"
#include "config/scalar_readers.hpp"
#include "config/secret_reader.hpp"

#include <algorithm>

namespace keygate::config {

using namespace std::chrono_literals;

namespace {

Reader<EndpointSettings> endpoint_reader() {
  auto endpoint = parsed<EndpointSettings>("an address such as http://127.0.0.1:3000", parse_endpoint);
  return then(std::move(endpoint), [](const Value& value, EndpointSettings made) -> std::optional<EndpointSettings> {
    made.where = value.where();
    if (!made.socket.empty()) made.socket = socket_beside_file(value, made.socket);
    return made;
  });
}

bool is_same_place(const EndpointSettings& one, const EndpointSettings& other) {
  return one.host == other.host && one.port == other.port && one.socket == other.socket;
}

std::optional<std::vector<EndpointSettings>> checked_endpoints(const Value& value,
                                                               std::vector<EndpointSettings> endpoints) {
  if (endpoints.size() > max_endpoints) {
    value.complain(
        "there are " + std::to_string(endpoints.size()) + " endpoints",
        "an upstream has at most " + std::to_string(max_endpoints) + "; one name may stand for many addresses");
  }
  for (std::size_t i = 1; i < endpoints.size(); ++i) {
    const auto twin = std::find_if(endpoints.begin(), endpoints.begin() + static_cast<std::ptrdiff_t>(i),
                                   [&](const auto& before) { return is_same_place(before, endpoints[i]); });
    if (twin != endpoints.begin() + static_cast<std::ptrdiff_t>(i)) {
      value.complain_at(endpoints[i].where, "this endpoint stands in the list twice",
                        "write it once: each has the same share");
    }
  }
  return endpoints;
}

Parsed<std::string> parse_server_name(const std::string& text) {
  const auto parts = parse_endpoint("https://" + (text.find(':') == text.npos ? text : "[" + text + "]"));
  if (const auto* endpoint = std::get_if<EndpointSettings>(&parts)) return endpoint->host;
  return Fault{quoted(text) + " is no host name or address", "write the name that stands in the certificate"};
}

std::optional<UpstreamTlsSettings> checked_tls(const Value& value, UpstreamTlsSettings tls) {
  if (tls.certificate_file.empty() != tls.private_key_file.empty()) {
    value.complain("a certificate and its key go together", "write certificate_file and private_key_file");
  }
  return tls;
}

Reader<UpstreamTlsSettings> tls_reader() {
  using T = UpstreamTlsSettings;
  return then(object<T>({
                  key("ca_file", &T::ca_file, file_path(), "whose certificates are trusted"),
                  key("server_name", &T::server_name, parsed<std::string>("a host name or address", parse_server_name),
                      "asked for, and expected in the certificate"),
                  key("certificate_file", &T::certificate_file, file_path(), "ours, where it asks for one"),
                  key("private_key_file", &T::private_key_file, file_path(), "of our certificate"),
              }),
              checked_tls);
}

Parsed<std::string> parse_check_path(const std::string& text) {
  const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
  if (text.starts_with('/') && is_plain) return text;
  return Fault{quoted(text) + " is no path to check", "write it as it is sent: /healthz"};
}

Reader<HealthCheckSettings> health_check_reader() {
  using H = HealthCheckSettings;
  return object<H>({
      required(key("path", &H::path, checked_path(), "asked with GET; any 2xx is well")),
      key("interval", &H::interval, duration(100ms, 1h), "between two checks, a tenth more or less"),
      key("timeout", &H::timeout, duration(1ms, 5min), "for all of one check"),
      key("unhealthy_after", &H::unhealthy_after, whole_number(1, 100), "failed checks in a row"),
      key("healthy_after", &H::healthy_after, whole_number(1, 100), "good checks in a row"),
  });
}

std::optional<UpstreamSettings> checked_upstream(const Value& value, UpstreamSettings upstream) {
  const bool uses_tls = std::any_of(upstream.endpoints.begin(), upstream.endpoints.end(),
                                    [](const EndpointSettings& endpoint) { return endpoint.is_tls; });
  if (const auto tls = value.member("tls"); tls && !uses_tls && !upstream.endpoints.empty()) {
    tls->complain("none of the endpoints speaks TLS", "write https:// where they do");
  }
  return upstream;
}

Reader<UpstreamSettings> upstream_reader() {
  using U = UpstreamSettings;
  const Table<U> timeouts{
      key("connect", &U::connect_timeout, duration(1ms, 5min), "for a connection to stand"),
      key("response_header", &U::response_header_timeout, duration(1ms, 1h),
          "from the request's end to the response's head"),
      key("idle", &U::idle_timeout, duration(10ms, 24h), "for a body that stands still and a pooled connection"),
  };
  const Table<U> retries{key("attempts", &U::retry_attempts, whole_number(0, 5), "extra tries")};
  return then(
      object<U>({
          required(
              key("endpoints", &U::endpoints, then(list_of(endpoint_reader()), checked_endpoints), "where it listens")),
          group("timeouts", timeouts, "how long it may take"),
          group("retries", retries, "whether a request is sent again"),
          key("preserve_host", &U::preserve_host, boolean(), "whether the client's Host goes on"),
          key("authorization_file", &U::authorization, secret_in_file(), "holds a Bearer token that it is sent"),
          key("balance", &U::balance,
              one_of<Balance>({{"round_robin", Balance::round_robin}, {"least_requests", Balance::least_requests}}),
              "how an endpoint is chosen"),
          key("tls", &U::tls, tls_reader(), "certificates, of https:// endpoints"),
          key("health_check", &U::health_check, health_check_reader(), "whether endpoints are asked how they are"),
          key("max_connections", &U::max_connections, whole_number(1, 1'000'000), "connections at a time"),
      }),
      checked_upstream);
}

bool is_upstream_name(const std::string& name) {
  constexpr std::size_t longest = 64;
  return !name.empty() && name.size() <= longest &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
             std::string::npos;
}

}  // namespace

Reader<std::string> checked_path() { return parsed<std::string>("a path such as /healthz", parse_check_path); }

Reader<std::vector<UpstreamSettings>> upstreams_reader() {
  using Pairs = std::vector<std::pair<Text, UpstreamSettings>>;
  return then(map_of(upstream_reader()),
              [](const Value& value, Pairs pairs) -> std::optional<std::vector<UpstreamSettings>> {
                std::vector<UpstreamSettings> result;
                for (auto& [name, upstream] : pairs) {
                  if (!is_upstream_name(name.value)) {
                    value.complain_at(name.where, quoted(name.value) + " is no name for an upstream",
                                      "letters, digits, _ and - will do");
                  }
                  upstream.name = name.value;
                  upstream.where = name.where;
                  result.push_back(std::move(upstream));
                }
                return result;
              });
}

Reader<UpstreamSettings> default_upstream_reader() {
  return then(endpoint_reader(), [](const Value& value, EndpointSettings endpoint) -> std::optional<UpstreamSettings> {
    UpstreamSettings upstream;
    upstream.name = "default";
    upstream.where = value.where();
    upstream.endpoints.push_back(std::move(endpoint));
    return upstream;
  });
}

}  // namespace keygate::config
