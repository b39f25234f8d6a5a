#include "app/limits.hpp"

#include "app/health.hpp"
#include "keys/dependencies.hpp"
#include "proxy/endpoint.hpp"
#include "telemetry/log.hpp"

#include <algorithm>
#include <sys/resource.h>

namespace keygate::app {
namespace {

constexpr std::size_t of_process = 48;  // standard streams, the control loop, files that are read anew at a reload…
constexpr std::size_t of_store = 16;    // SQLite: the database, its log and index, for each of two connections
constexpr std::size_t of_worker = 16;   // its loop, name resolution, clients that are turned away
constexpr std::size_t of_redis = 4;     // a worker's connection, its subscription, and what takes the place of each

}  // namespace

std::size_t reserved_descriptors(const config::Settings& settings, std::size_t workers) {
  std::size_t each = of_worker + settings.listeners.size();
  each += settings.resolution.redis ? of_redis : 0;
  each += settings.resolution.service ? 2 * keys::Dependencies::service_connections(workers) : 0;  // keys and sessions
  const std::size_t store = settings.resolution.store ? of_store : 0;
  std::size_t checks = 0;  // of upstreams: a connection to each endpoint
  for (const config::UpstreamSettings& upstream : settings.upstreams) {
    checks += upstream.health_check ? upstream.endpoints.size() : 0;
  }
  const std::size_t health = settings.health ? HealthServer::max_connections + settings.health->forward.size() + 2 : 0;
  return of_process + store + health + checks + each * workers;
}

std::size_t bearable_clients(const config::Settings& settings, std::size_t workers, std::size_t descriptors) {
  const std::size_t reserved = reserved_descriptors(settings, workers);
  if (descriptors <= reserved) {
    return 0;
  }
  const std::size_t room = descriptors - reserved;
  std::size_t endpoints = 0;
  std::size_t pool = 0;  // what all workers together keep to one endpoint at most
  for (const config::UpstreamSettings& upstream : settings.upstreams) {
    const std::size_t most = std::max(upstream.max_connections, workers);  // each worker may have one
    endpoints += upstream.endpoints.size();
    pool = std::max(pool, std::min(proxy::Endpoint::max_idle * workers, most));
  }
  // A client's own connection is idle or in use. To the other endpoints there may be idle ones: no more than the pools
  // keep, and no more than there were clients.
  const std::size_t others = std::max<std::size_t>(endpoints, 1) - 1;
  const std::size_t with_small_pools = room / (2 + others);
  return with_small_pools <= pool ? with_small_pools : (room - others * pool) / 2;
}

Connections fit_connections(const config::Settings& settings, std::size_t workers) {
  const config::LimitSettings& limits = settings.limits;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) {
    return {limits.connections, std::nullopt};
  }
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::getrlimit(RLIMIT_NOFILE, &files);
  const std::size_t bearable =
      files.rlim_cur == RLIM_INFINITY ? limits.connections : bearable_clients(settings, workers, files.rlim_cur);
  if (limits.connections <= bearable) {
    return {limits.connections, std::nullopt};
  }
  const std::string fits = "RLIMIT_NOFILE (" + std::to_string(files.rlim_cur) + ") bears " + std::to_string(bearable) +
                           " client connections, two descriptors each beside " +
                           std::to_string(reserved_descriptors(settings, workers)) +
                           " of the process and idle connections to upstreams";
  if (limits.connections_written || bearable == 0) {
    return {0, "limits.connections is " + std::to_string(limits.connections) + ", but " + fits};
  }
  telemetry::log(telemetry::Level::warn, "limits.connections lowered: " + fits);
  return {bearable, std::nullopt};
}

}  // namespace keygate::app
