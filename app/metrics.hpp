// All figures of the process as a scrape by Prometheus sees them (docs/operations.md). No label holds what a client can
// invent: routes, codes, upstreams and sources are all the configuration's or ours. Pure but for the library's text.
#pragma once

#include "app/bypass_check.hpp"
#include "app/process_facts.hpp"
#include "app/trace_figures.hpp"
#include "policy/policy.hpp"
#include "proxy/worker_figures.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace keygate::app {

// What no worker knows.
struct ServerFigures {
  std::uint64_t generation = 1;
  bool was_last_reload_good = true;
  std::chrono::milliseconds staleness_bound{0};
  std::uint64_t store_changes = 0;  // keys that the embedded store's change log has told of
  std::uint64_t dropped_lines = 0;  // of the access log
  TraceFigures traces{};
  std::size_t shadow_routes = 0;  // of the policy in force
  std::vector<BypassCheck::Finding> on_loopback{};
};

// The workers' figures together: of each route, upstream and source one.
struct Totals {
  std::map<std::string, proxy::RouteTally> routes;
  std::map<std::string, telemetry::RequestTimes> upstreams;
  std::array<telemetry::AuthTimes, proxy::Tallies::source_names.size()> auth{};
  std::uint64_t degraded = 0;
  std::uint64_t memory_hits = 0, memory_misses = 0;
  std::map<std::string_view, std::array<std::uint64_t, keys::lookup_result_count>> sources;
  keys::DependencyFigures dependencies;  // up where it is for all workers; the worst of the breakers
  std::size_t clients = 0, upstream_connections = 0, cached_keys = 0;
};
Totals total_of(const std::vector<proxy::WorkerFigures>& workers);

// How many of a route's requests there were with this code; "ok" is one.
std::uint64_t count_of(const proxy::RouteTally& route, std::string_view code);

// The text format, version 0.0.4.
std::string metrics_text(const Totals& totals, const ServerFigures& server, const ProcessFacts& process);

}  // namespace keygate::app
