#include "config/upstream_reader.hpp"

#include "config/address.hpp"
#include "config/collection_readers.hpp"
#include "config/scalar_readers.hpp"
#include "config/secret_reader.hpp"

namespace keygate::config {

using namespace std::chrono_literals;

namespace {

Reader<EndpointSettings> endpoint_reader() {
  auto endpoint = parsed<EndpointSettings>("an address such as http://127.0.0.1:3000", parse_endpoint);
  return then(std::move(endpoint), [](const Value& value, EndpointSettings made) -> std::optional<EndpointSettings> {
    made.where = value.where();
    return made;
  });
}

std::optional<std::vector<EndpointSettings>> only_one(const Value& value, std::vector<EndpointSettings> endpoints) {
  const auto items = value.items();
  if (items.size() > 1) items[1].complain("more than one endpoint is not supported by this version yet");
  return endpoints;
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
  return object<U>({
      required(key("endpoints", &U::endpoints, then(list_of(endpoint_reader()), only_one), "where it listens")),
      group("timeouts", timeouts, "how long it may take"),
      group("retries", retries, "whether a request is sent again"),
      key("preserve_host", &U::preserve_host, boolean(), "whether the client's Host goes on"),
      key("authorization_file", &U::authorization, secret_in_file(), "holds a Bearer token that it is sent"),
      idle<U>("balance", only_first_of({"round_robin", "least_requests"}), "how an endpoint is chosen"),
      unsupported<U>("tls", "certificates"),
      unsupported<U>("health_check", "active probes"),
      unsupported<U>("max_connections", "connections at a time"),
  });
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
