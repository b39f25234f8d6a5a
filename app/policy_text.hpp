// A policy that is being made, and its text. Pure; for `keygate import`.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace keygate::app {

// What a route asks; operations of one path that ask the same are one route.
struct Demand {
  bool is_open = false, is_optional = false, by_key = true, by_session = false;
  std::vector<std::string> all, any;
  auto operator<=>(const Demand&) const = default;
};

struct RouteDraft {
  std::string path, name;
  std::vector<std::string> methods;
  Demand demand;
};

struct PolicyParts {
  std::string title;
  std::vector<std::string> notes;
  std::vector<std::pair<std::string, std::string>> scopes;  // name and description
  std::vector<RouteDraft> routes;
};

// YAML. Whatever stands in the parts, it is read as text.
std::string policy_text(const PolicyParts& parts);

}  // namespace keygate::app
