// Loading text in a test: what a user would see of it, line by line.
// The file is called keygate.yaml and stands in the folder "conf".
#pragma once

#include "config/loader.hpp"

#include <map>
#include <string>
#include <vector>

namespace keygate::config {

using Variables = std::map<std::string, std::string>;

inline Loaded load(const std::string& yaml, const Variables& variables = {}) {
  LoadOptions options;
  options.environment = [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  return load_text(yaml, "conf/keygate.yaml", options);
}

inline std::vector<std::string> rendered(const Loaded& loaded) {
  std::vector<std::string> lines;
  for (const auto& problem : loaded.problems) lines.push_back(render(problem));
  return lines;
}

inline std::vector<std::string> faults_in(const std::string& yaml, const Variables& variables = {}) {
  return rendered(load(yaml, variables));
}

// Three lines that load; what a test adds begins on line 4.
inline const std::string three_lines =
    "upstream: http://127.0.0.1:3000\n"
    "policy: {routes: [{name: all, match: {path: '/{rest...}'}, anonymous: true}]}\n"
    "resolution: {store: {path: keygate.db}}\n";

// The same without a policy; the routes or scopes that a test adds are indented by two and begin on line 4.
inline const std::string policy_follows =
    "upstream: http://127.0.0.1:3000\n"
    "resolution: {store: {path: keygate.db}}\n"
    "policy:\n";

}  // namespace keygate::config
