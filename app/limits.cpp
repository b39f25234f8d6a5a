#include "app/limits.hpp"

#include "telemetry/log.hpp"

#include <sys/resource.h>

namespace keygate::app {
namespace {

constexpr std::size_t own_descriptors = 64;  // listeners, store, logs, epoll…
constexpr std::size_t spare_per_worker = 16;

}  // namespace

Connections fit_connections(const config::LimitSettings& limits, std::size_t workers) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) {
    return {limits.connections, std::nullopt};
  }
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::getrlimit(RLIMIT_NOFILE, &files);
  // Each client may have an upstream connection.
  const std::size_t reserved = own_descriptors + spare_per_worker * workers;
  const std::size_t bearable = files.rlim_cur == RLIM_INFINITY ? limits.connections
                               : files.rlim_cur > reserved     ? (files.rlim_cur - reserved) / 2
                                                               : 0;
  if (limits.connections <= bearable) {
    return {limits.connections, std::nullopt};
  }
  const std::string fits = "RLIMIT_NOFILE (" + std::to_string(files.rlim_cur) + ") bears " + std::to_string(bearable) +
                           " client connections, two descriptors each";
  if (limits.connections_written || bearable == 0) {
    return {0, "limits.connections is " + std::to_string(limits.connections) + ", but " + fits};
  }
  telemetry::log(telemetry::Level::warn, "limits.connections lowered: " + fits);
  return {bearable, std::nullopt};
}

}  // namespace keygate::app
