#include "app/metrics.hpp"
#include "policy/reason.hpp"

#include <algorithm>

namespace keygate::app {
namespace {

void add(proxy::RouteTally& sum, const proxy::RouteTally& more) {
  for (std::size_t i = 0; i < sum.by_reason.size(); ++i) {
    sum.by_reason[i] += more.by_reason[i];
    sum.shadowed[i] += more.shadowed[i];
  }
  if (!more.times) return;
  if (!sum.times) sum.times.emplace();
  sum.times->merge(*more.times);
}

void add(keys::RedisCacheCounters& sum, const keys::RedisCacheCounters& more) {
  sum.hits += more.hits;
  sum.misses += more.misses;
  sum.revoked += more.revoked;
  sum.changed += more.changed;
  sum.errors += more.errors;
  for (std::size_t i = 0; i < sum.flaws.size(); ++i) sum.flaws[i] += more.flaws[i];
}

// Every worker hears every message, so the process has heard as many as the one that heard most.
void add(keys::DependencyFigures& sum, const keys::DependencyFigures& more) {
  if (more.has_redis) {
    const bool is_first = !sum.has_redis;
    if (is_first || !more.is_redis_up) sum.redis_condition = more.redis_condition;
    sum.is_redis_up = (is_first || sum.is_redis_up) && more.is_redis_up;
    sum.is_push_up = (is_first || sum.is_push_up) && more.is_push_up;
    sum.redis_breaker = std::max(sum.redis_breaker, more.redis_breaker);
    sum.revocations = std::max(sum.revocations, more.revocations);
    add(sum.redis, more.redis);
    sum.has_redis = true;
  }
  if (more.has_service) {
    sum.is_service_up = (!sum.has_service || sum.is_service_up) && more.is_service_up;
    sum.service_breaker = std::max(sum.service_breaker, more.service_breaker);
    sum.has_service = true;
  }
}

}  // namespace

Totals total_of(const std::vector<proxy::WorkerFigures>& workers) {
  Totals all;
  for (const proxy::WorkerFigures& worker : workers) {
    for (const proxy::RouteTally& route : worker.routes) {
      proxy::RouteTally& sum = all.routes[route.name];
      sum.name = route.name;
      add(sum, route);
    }
    for (const auto& [name, times] : worker.upstreams) all.upstreams[name].merge(times);
    for (std::size_t i = 0; i < all.auth.size(); ++i) all.auth[i].merge(worker.auth[i]);
    all.degraded += worker.degraded;
    all.memory_hits += worker.lookups.memory_hits;
    all.memory_misses += worker.lookups.memory_misses;
    for (const keys::SourceCounters& of : worker.lookups.sources) {
      auto& sum = all.sources[of.source];
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += of.results[i];
    }
    add(all.dependencies, worker.dependencies);
    all.clients += worker.clients;
    all.upstream_connections += worker.upstream_connections;
    all.cached_keys += worker.cached_keys;
  }
  return all;
}

std::uint64_t count_of(const proxy::RouteTally& route, std::string_view code) {
  std::uint64_t count = 0;
  for (const policy::ReasonRow& row : policy::reasons()) {
    if (row.code == code) count += route.by_reason[static_cast<std::size_t>(row.reason)];
  }
  return count;
}

}  // namespace keygate::app
