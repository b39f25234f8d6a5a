// Asks one endpoint again and again whether it is well. Runs on one worker of the process; proxy/upstream_health has
// the verdict.
#pragma once

#include "config/settings.hpp"
#include "proxy/health_probe.hpp"
#include "proxy/health_tally.hpp"
#include "proxy/upstream_health.hpp"

#include <memory>
#include <random>
#include <string>

namespace keygate::proxy {

class HealthCheck : public std::enable_shared_from_this<HealthCheck> {
 public:
  struct Subject {
    std::string upstream;  // its name
    std::shared_ptr<Endpoint> endpoint;
    std::size_t number = 0;  // in `health`
    std::shared_ptr<UpstreamHealth> health;
  };
  HealthCheck(net::io_context& io, const config::HealthCheckSettings& settings, Subject subject, std::uint64_t seed);

  void start();
  void stop();

 private:
  static Awaitable<void> run(std::shared_ptr<HealthCheck> self);
  Awaitable<void> check();
  void take(const std::string& flaw);

  net::io_context& io_;
  const config::HealthCheckSettings settings_;
  const Subject subject_;
  const std::shared_ptr<HealthProbe> probe_;
  HealthTally tally_;
  std::minstd_rand random_;
  SteadyTimer pause_;
  bool is_stopped_ = false;
};

}  // namespace keygate::proxy
