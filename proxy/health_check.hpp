// Asks one endpoint again and again whether it is well, on a connection for each time, with nothing of any client's.
// Runs on one worker of the process; proxy/upstream_health has the verdict.
#pragma once

#include "config/settings.hpp"
#include "proxy/endpoint.hpp"
#include "proxy/health_tally.hpp"
#include "proxy/upstream_health.hpp"

#include <array>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace keygate::proxy {

// The status that the first line of a response states; nullopt: it is no such line. Pure.
std::optional<int> status_in(std::string_view line);

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
  Awaitable<std::string> ask();
  Awaitable<std::string> read_status();
  Awaitable<void> read_rest();
  void limit();
  void end_try();
  void take(const std::string& flaw);

  net::io_context& io_;
  const config::HealthCheckSettings settings_;
  const Subject subject_;
  const std::string request_;
  HealthTally tally_;
  std::minstd_rand random_;
  const std::shared_ptr<TlsSession> session_;
  Stream stream_;
  SteadyTimer pause_, limit_;
  SteadyTimer* waits_for_ = nullptr;
  std::array<char, 1024> answer_;
  bool is_stopped_ = false, is_late_ = false;
  bool is_our_fault_ = false;  // there was no descriptor to ask with
};

}  // namespace keygate::proxy
