// One upstream as one worker sees it: its endpoints, which of them is next, and how many connections they may have.
// Lives on in exchanges that began before a reload replaced it.
#pragma once

#include "config/settings.hpp"
#include "proxy/balancer.hpp"
#include "proxy/connection_budget.hpp"
#include "proxy/endpoint.hpp"
#include "proxy/upstream_health.hpp"
#include "telemetry/histogram.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace keygate::proxy {

class HealthCheck;

class Upstream {
 public:
  // Where it lives; all of it outlives it.
  struct Home {
    net::io_context& io;
    DeadlineWheel& deadlines;
    NameSource& names;
    std::size_t worker = 0, workers = 1;  // this one's number, of so many: each has its share of the connections
  };
  // What it is made of besides its settings.
  struct Parts {
    std::shared_ptr<const UpstreamTls> tls;  // null where no endpoint is https://
    std::shared_ptr<UpstreamHealth> health;  // null where nobody checks it
    std::uint64_t seed = 0;                  // of the order of endpoints
  };
  // The first worker checks the endpoints' health, until it is retired.
  Upstream(const Home& home, config::UpstreamSettings settings, Parts parts);
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  const config::UpstreamSettings& settings() const { return settings_; }
  // Whether it is just what `wanted` asks for.
  bool serves(const config::UpstreamSettings& wanted, const UpstreamTls* tls) const;

  // The endpoint for one request, and those that have been tried for it before, as bits.
  struct Choice {
    Endpoint* endpoint = nullptr;
    std::uint64_t tried = 0;
  };
  // False: none is to be asked just now.
  bool choose(Choice& choice) {
    if (is_alone_) [[likely]] {
      choice.endpoint = endpoints_.front().get();
      return true;
    }
    return choose_among(choice);
  }

  // Connects `connection` to its endpoint; waits for its turn where there are as many as there may be. Then what is had
  // may be somebody's connection that has become free, in place of it, unless it `must_be_new`. Errors: those of
  // Endpoint::connect, and UpstreamError::full.
  Awaitable<error_code> connect(std::unique_ptr<UpstreamConnection>& connection, bool must_be_new);

  // No request begins here any more.
  void retire();
  void close_idle();
  bool has_idle() const;
  std::size_t connections() const;  // open ones, idle or not

  std::shared_ptr<telemetry::RequestTimes> times;  // of its answers' heads; the worker's, for all of this name

 private:
  bool choose_among(Choice& choice);
  bool is_able(const Endpoint& endpoint) const;
  bool shed_idle();

  const Home home_;
  const config::UpstreamSettings settings_;
  const Parts parts_;
  ConnectionBudget budget_;
  const bool is_alone_;                               // one endpoint, always asked
  std::vector<std::shared_ptr<Endpoint>> endpoints_;  // at least one
  std::vector<std::shared_ptr<HealthCheck>> checks_;  // of the first worker
  Balancer balancer_;
  std::vector<Standing> standings_;  // room to choose in
};

}  // namespace keygate::proxy
