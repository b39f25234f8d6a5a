#include "app/inject_notes.hpp"

#include "app/manifest_node.hpp"

#include <array>

namespace keygate::app {
namespace {

using config::YamlEntry;
using config::YamlNode;

constexpr std::string_view health_port = "9901";  // of the sidecar

struct ProbeKind {
  std::string_view key, name;
};
constexpr std::array<ProbeKind, 3> probe_kinds{
    {{"startupProbe", "startup"}, {"readinessProbe", "ready"}, {"livenessProbe", "live"}}};

// What health.forward has to have for it; empty: it is none of those that come from outside by HTTP.
std::string forward_entry(const YamlNode& probe, const std::string& path) {
  const YamlEntry* const request = find_entry(probe, "httpGet");
  if (request == nullptr || text_under(*request->value, "port") == health_port) return {};
  const std::string asked = text_under(*request->value, "path");
  return path + ": {upstream: default, path: '" + (asked.empty() ? "/" : asked) + "'}";
}

}  // namespace

std::vector<std::string> notes_on(const YamlNode& container) {
  std::vector<std::string> notes;
  const std::string name = text_under(container, "name");
  const std::string who = "the container " + name;
  if (find_entry(container, "ports") != nullptr) {
    notes.push_back(who + " lists ports: have it listen on 127.0.0.1 alone, and Services lead to the port keygate");
  }
  std::string forward;
  for (const ProbeKind& kind : probe_kinds) {
    const YamlEntry* const probe = find_entry(container, kind.key);
    if (probe == nullptr) continue;
    const std::string entry = forward_entry(*probe->value, "/app-health/" + name + "/" + std::string(kind.name));
    if (!entry.empty()) forward += (forward.empty() ? "" : ", ") + entry;
    const bool is_bare =
        find_entry(*probe->value, "tcpSocket") != nullptr || find_entry(*probe->value, "grpc") != nullptr;
    if (is_bare) {
      notes.push_back(
          who + ": its " + std::string(kind.key) +
          " comes from outside the pod and cannot reach 127.0.0.1: make it httpGet by way of Keygate, or exec");
    }
  }
  if (!forward.empty()) {
    notes.push_back(who +
                    ": its httpGet probes come from outside the pod and cannot reach 127.0.0.1: in keygate.yaml write "
                    "health: {address: 0.0.0.0:9901, forward: {" +
                    forward + "}}, and have the probes ask for these paths at port 9901");
  }
  const YamlEntry* const lifecycle = find_entry(container, "lifecycle");
  if (lifecycle == nullptr || find_entry(*lifecycle->value, "preStop") == nullptr) {
    notes.push_back(who +
                    " has no preStop, and requests still come once its pod is told to go: write lifecycle: {preStop: "
                    "{sleep: {seconds: 10}}} (from Kubernetes 1.30 on), or exec a sleep");
  }
  return notes;
}

}  // namespace keygate::app
