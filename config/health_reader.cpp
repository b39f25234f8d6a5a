#include "config/health_reader.hpp"

#include "config/collection_readers.hpp"
#include "config/listener_reader.hpp"
#include "config/scalar_readers.hpp"
#include "config/upstream_reader.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace keygate::config {

using namespace std::chrono_literals;

namespace {

struct ForwardDocument {
  Text upstream;
  std::optional<std::string> path;
  milliseconds timeout = ForwardedProbeSettings{}.timeout;
};
using ForwardDocuments = std::vector<std::pair<Text, ForwardDocument>>;

struct HealthDocument {
  std::optional<ListenerSettings> address;
  ForwardDocuments forward;
};

constexpr std::array<std::string_view, 3> own_paths{"/livez", "/readyz", "/metrics"};

// Nothing in it can be written in a second way: it is compared byte for byte with what a probe asks for.
bool is_fixed_path(std::string_view path) {
  if (!path.starts_with('/') || path.ends_with('/') || path.size() > 256) return false;
  const bool has_plain_characters = std::all_of(path.begin(), path.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '-' ||
           c == '_' || c == '.' || c == '~';
  });
  if (!has_plain_characters) return false;
  for (std::size_t begin = 1; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    if (segment.empty() || segment == "." || segment == "..") return false;
    begin = end + 1;
  }
  return true;
}

Reader<ForwardDocument> forward_reader() {
  using F = ForwardDocument;
  const auto name = located(text("the name of an upstream"));
  const auto map = object<F>({
      required(key("upstream", &F::upstream, name, "its name")),
      key("path", &F::path, checked_path(), "as the upstream is asked with GET; else the one of the probe"),
      key("timeout", &F::timeout, duration(1ms, 1min), "for the upstream to answer"),
  });
  return {"the name of an upstream, or {upstream: NAME, path: /healthz}",
          [name, map](const Value& value) -> std::optional<F> {
            if (value.is_map()) return map.read(value);
            auto read = name.read(value);
            if (!read) return std::nullopt;
            F one;
            one.upstream = std::move(*read);
            return one;
          },
          false, schema_of_any({name.schema, map.schema})};
}

std::optional<ForwardDocuments> checked_forward(const Value& value, ForwardDocuments forward) {
  if (forward.size() > HealthSettings::max_forwarded) {
    value.complain("there are " + std::to_string(forward.size()) + " paths",
                   "at most " + std::to_string(HealthSettings::max_forwarded) + " are forwarded");
  }
  for (const auto& [path, one] : forward) {
    if (std::find(own_paths.begin(), own_paths.end(), path.value) != own_paths.end()) {
      value.complain_at(path.where, quoted(path.value) + " is what Keygate says of itself",
                        "write another path, such as /app-health" + path.value);
    } else if (!is_fixed_path(path.value)) {
      value.complain_at(path.where, quoted(path.value) + " is no fixed path",
                        "letters, digits and - _ . ~ between slashes, as in /app-health/live");
    }
  }
  return forward;
}

std::optional<HealthSettings> health_of(const Value& value, HealthDocument document) {
  if (!document.address) return std::nullopt;
  if (!document.address->socket.empty()) {
    value.member("address")->complain("probes come over TCP", "write health: {address: 127.0.0.1:9901}");
  }
  HealthSettings health{std::move(*document.address), {}};
  for (auto& [path, one] : document.forward) {
    if (one.upstream.value.empty()) continue;  // of that it has complained
    health.forward.push_back(
        {path.value, one.upstream.value, one.path.value_or(path.value), one.timeout, one.upstream.where});
  }
  return health;
}

std::string nearest_upstream(const std::string& name, const Settings& settings) {
  std::vector<std::string> names;
  for (const UpstreamSettings& upstream : settings.upstreams) names.push_back(upstream.name);
  return suggestion(name, names);
}

}  // namespace

Reader<HealthSettings> health_reader() {
  using H = HealthDocument;
  return then(object<H>({
                  required(key("address", &H::address, listening_address(), "where /livez, /readyz and /metrics are")),
                  key("forward", &H::forward, then(map_of(forward_reader()), checked_forward),
                      "probe paths that go to an upstream without a key"),
              }),
              health_of);
}

void check_health(const Value& root, const Settings& settings, Purpose purpose) {
  if (!settings.health || settings.health->forward.empty()) return;
  const Value forward = *root.member("health")->member("forward");
  if (purpose == Purpose::key_server) {
    forward.complain("a key server has no upstreams to forward probes to");
    return;
  }
  for (const ForwardedProbeSettings& probe : settings.health->forward) {
    const UpstreamSettings* const upstream = settings.find_upstream(probe.upstream);
    if (upstream == nullptr) {
      forward.complain_at(probe.where, "unknown upstream " + quoted(probe.upstream),
                          nearest_upstream(probe.upstream, settings));
    } else if (upstream->endpoints.size() > 1) {
      forward.complain_at(probe.where,
                          quoted(probe.upstream) + " has " + std::to_string(upstream->endpoints.size()) +
                              " endpoints, and a probe asks one application",
                          "name an upstream with one endpoint; health_check is for several");
    }
  }
}

}  // namespace keygate::config
