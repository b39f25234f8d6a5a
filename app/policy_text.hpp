// A policy that is being made, and its text. Pure; for `keygate import`.
#pragma once

#include "app/demand.hpp"

#include <string>
#include <utility>
#include <vector>

namespace keygate::app {

struct RouteDraft {
  std::string path, name;
  std::vector<std::string> methods;
  Demand demand;
};

struct PolicyParts {
  std::string title;
  std::vector<std::string> notes;
  std::vector<std::pair<std::string, std::string>> scopes;  // name and description
  std::string nobody;                                       // the scope that nobody is to have; empty: it is not needed
  std::vector<RouteDraft> routes;
};

// YAML. Whatever stands in the parts, it is read as text.
std::string policy_text(const PolicyParts& parts);

}  // namespace keygate::app
