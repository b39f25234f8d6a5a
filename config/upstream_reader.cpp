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

std::optional<std::vector<EndpointSettings>> only_one(const Value& value, std::vector<EndpointSettings> endpoints) {
  const auto items = value.items();
  if (items.size() > 1) items[1].complain("more than one endpoint is not supported by this version yet");
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
          required(key("endpoints", &U::endpoints, then(list_of(endpoint_reader()), only_one), "where it listens")),
          group("timeouts", timeouts, "how long it may take"),
          group("retries", retries, "whether a request is sent again"),
          key("preserve_host", &U::preserve_host, boolean(), "whether the client's Host goes on"),
          key("authorization_file", &U::authorization, secret_in_file(), "holds a Bearer token that it is sent"),
          idle<U>("balance", only_first_of({"round_robin", "least_requests"}), "how an endpoint is chosen"),
          key("tls", &U::tls, tls_reader(), "certificates, of https:// endpoints"),
          unsupported<U>("health_check", "active probes"),
          unsupported<U>("max_connections", "connections at a time"),
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
