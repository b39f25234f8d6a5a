// Kubernetes manifests with Keygate as a native sidecar in their pods. Lines are put in, and none is changed: comments,
// order, quotes and all other documents stay as they are. Pure; called by `keygate inject`.
#pragma once

#include "config/fault.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace keygate::app {

struct SidecarSettings {
  std::string image;
  std::string config_map = "keygate";  // holds keygate.yaml and the policy; a Secret of that name holds secrets
};

struct Injected {
  std::string text;
  std::size_t added = 0;           // workloads that have it now
  std::size_t had_it = 0;          // and were left as they were
  std::vector<std::string> notes;  // what the operator has yet to see to, a sentence each
};

// In every Deployment, StatefulSet and DaemonSet, unless a container called keygate is there already: to do it twice is
// to do it once. The fault says where, by line, and why: what is not YAML, what is no workload inside, and what is
// written in flow style ({…}), into which no line can be put.
std::variant<Injected, config::Fault> inject_sidecar(std::string_view manifests, const SidecarSettings& settings);

}  // namespace keygate::app
