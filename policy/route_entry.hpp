// A route's criteria, checked and in canonical form: what compile gives the route table. Nobody else needs it.
#pragma once

#include "policy/path_template.hpp"
#include "policy/route_table.hpp"

#include <string>
#include <vector>

namespace keygate::policy {

struct HostPattern {
  std::string name;          // canonical; of "*.example.com" it is "example.com"
  bool is_wildcard = false;  // covers one or more labels before `name`, and not `name` itself
};

struct HeaderCondition {
  std::string name;  // case does not count
  std::string value;
};

struct RouteTable::Entry {
  std::vector<HostPattern> hosts;  // empty: any
  MethodSet methods;
  PathTemplate path;
  std::vector<HeaderCondition> headers;
};

}  // namespace keygate::policy
