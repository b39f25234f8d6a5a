// A policy ready to decide with: catalogue, routes and the table that finds them. Immutable, shared by all workers.
#pragma once

#include "config/settings.hpp"
#include "policy/route_entry.hpp"
#include "policy/scopes.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace keygate::policy {

struct Policy {
  Catalogue catalogue;
  std::vector<std::unique_ptr<const Route>> routes;
  std::vector<RouteTable::Entry> criteria;  // of each route, by its number; for explain, the table has its own
  RouteTable table;
  bool unmatched_is_404 = false;
  config::PathSettings paths;  // by which targets are parsed that this policy decides on
};

struct Compiled {
  std::shared_ptr<const Policy> policy;  // null if problems has an error, and where settings were not read whole
  config::Problems problems;
};

// Resolves, checks and compiles settings.policy against the upstreams, key formats and header names of the same
// settings: unknown scopes, overlapping routes, routes open by omission, test keys that could reach a live upstream…
// (docs/policy.md). `now` in unix seconds: how long shadow mode may still last is looked at only where it is known.
Compiled compile(const config::Settings& settings, std::optional<std::int64_t> now = std::nullopt);

// For a key server, which decides nothing: the catalogue alone, and a policy without routes around it.
Compiled compile_catalogue_alone(const config::Settings& settings);

}  // namespace keygate::policy
