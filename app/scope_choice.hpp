// The smallest set of scopes that opens a number of routes. Pure; for `keygate dev`'s summary.
#pragma once

#include "policy/scopes.hpp"

#include <string>
#include <vector>

namespace keygate::app {

// What one route asks for: all of `all`, and where `any` is not empty, one of it.
struct RouteScopes {
  policy::ScopeSet all, any;
};

// Scope names in the catalogue's order. What another of them implies is left out, and of several that would do as well
// restricted ones are taken last; nothing is named that no route asks for. Up to 12 scopes that are only one choice
// among others are weighed against each other exactly, more by taking what serves most routes first.
std::vector<std::string> smallest_scopes(const policy::Catalogue& catalogue, const std::vector<RouteScopes>& routes);

}  // namespace keygate::app
