#include "app/route_names.hpp"

#include "app/scope_spelling.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace keygate::app {

void name_routes(std::vector<RouteDraft>& routes) {
  std::set<std::string> taken;
  for (RouteDraft& route : routes) {
    const bool has_id = route.methods.size() == 1 && !route.name.empty();
    const std::string from = has_id ? route.name : route.methods.front() + route.path;
    const auto is_allowed = [](char c) { return is_lower_or_digit(lower(c)) || c == '_' || c == '.'; };
    std::string name = spelled_with(from, is_allowed, '-').substr(0, 56);
    if (!has_id) std::ranges::transform(name, name.begin(), lower);
    if (name.empty()) name = "route";
    route.name = name;
    for (int number = 2; !taken.insert(route.name).second; ++number) route.name = name + "-" + std::to_string(number);
  }
}

}  // namespace keygate::app
