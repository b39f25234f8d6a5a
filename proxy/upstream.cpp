#include "proxy/upstream.hpp"

#include "proxy/health_check.hpp"
#include "proxy/upstream_error.hpp"

#include <algorithm>
#include <utility>

namespace keygate::proxy {
namespace {

bool is_same_place(const config::EndpointSettings& one, const config::EndpointSettings& other) {
  return one.host == other.host && one.port == other.port && one.socket == other.socket && one.is_tls == other.is_tls;
}

bool is_same_check(const std::optional<config::HealthCheckSettings>& one,
                   const std::optional<config::HealthCheckSettings>& other) {
  if (!one || !other) {
    return one.has_value() == other.has_value();
  }
  return one->path == other->path && one->interval == other->interval && one->timeout == other->timeout &&
         one->unhealthy_after == other->unhealthy_after && one->healthy_after == other->healthy_after;
}

}  // namespace

Upstream::Upstream(const Home& home, config::UpstreamSettings settings, Parts parts)
    : home_(home),
      settings_(std::move(settings)),
      parts_(std::move(parts)),
      budget_(ConnectionBudget::share(settings_.max_connections, home.worker, home.workers)),
      is_alone_(settings_.endpoints.size() == 1 && !parts_.health),
      balancer_(settings_.balance, parts_.seed),
      standings_(settings_.endpoints.size()) {
  const Endpoint::Place place{home_.io,
                              home_.deadlines,
                              home_.names,
                              budget_,
                              parts_.tls,
                              settings_.connect_timeout,
                              settings_.idle_timeout,
                              settings_.endpoints.size() > 1};
  for (const config::EndpointSettings& endpoint : settings_.endpoints) {
    endpoints_.push_back(std::make_shared<Endpoint>(place, endpoint));
  }
  if (!parts_.health || home_.worker != 0) {
    return;
  }
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    HealthCheck::Subject subject{settings_.name, endpoints_[i], i, parts_.health};
    checks_.push_back(
        std::make_shared<HealthCheck>(home_.io, *settings_.health_check, std::move(subject), parts_.seed + i));
    checks_.back()->start();
  }
}

Upstream::~Upstream() { retire(); }

void Upstream::retire() {
  for (const auto& check : std::exchange(checks_, {})) {
    check->stop();
  }
  close_idle();
}

bool Upstream::serves(const config::UpstreamSettings& wanted, const UpstreamTls* tls) const {
  const UpstreamTls* const mine = parts_.tls.get();
  const bool is_same_tls = tls == nullptr || mine == nullptr ? tls == mine : mine->is_same(*tls);
  return settings_.name == wanted.name && is_same_tls &&
         std::equal(settings_.endpoints.begin(), settings_.endpoints.end(), wanted.endpoints.begin(),
                    wanted.endpoints.end(), is_same_place) &&
         settings_.balance == wanted.balance && settings_.max_connections == wanted.max_connections &&
         settings_.connect_timeout == wanted.connect_timeout &&
         settings_.response_header_timeout == wanted.response_header_timeout &&
         settings_.idle_timeout == wanted.idle_timeout && settings_.retry_attempts == wanted.retry_attempts &&
         settings_.preserve_host == wanted.preserve_host && is_same_check(settings_.health_check, wanted.health_check);
}

bool Upstream::choose_among(Choice& choice) {
  SteadyClock::time_point now{};
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    const Endpoint& endpoint = *endpoints_[i];
    if (endpoint.ejection.has_failed() && now == SteadyClock::time_point{}) {
      now = SteadyClock::now();
    }
    standings_[i] = {.is_sick = parts_.health && parts_.health->is_sick(i),
                     .is_out = endpoint.ejection.is_out(now),
                     .was_tried = (choice.tried >> i & 1U) != 0,
                     .busy = endpoint.busy()};
  }
  const auto chosen = balancer_.choose(standings_);
  if (!chosen) {
    return false;
  }
  choice.endpoint = endpoints_[*chosen].get();
  choice.tried |= std::uint64_t{1} << *chosen;
  choice.endpoint->ejection.begin_trial(now, settings_.connect_timeout);
  return true;
}

// Whether a request may go there that had chosen another.
bool Upstream::is_able(const Endpoint& endpoint) const {
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    if (endpoints_[i].get() == &endpoint) {
      const bool is_sick = parts_.health && parts_.health->is_sick(i);
      return !is_sick && !endpoint.ejection.is_out(SteadyClock::now());
    }
  }
  return false;
}

bool Upstream::shed_idle() {
  return std::any_of(endpoints_.begin(), endpoints_.end(), [](const auto& endpoint) { return endpoint->shed_idle(); });
}

Awaitable<error_code> Upstream::connect(std::unique_ptr<UpstreamConnection>& connection, bool must_be_new) {
  connection->slot = budget_.take();
  if (!connection->slot && shed_idle()) {
    connection->slot = budget_.take();
  }
  if (!connection->slot) {
    ConnectionBudget::Given given = co_await budget_.wait(home_.io, settings_.connect_timeout, connection->waits_for);
    if (given.connection) {
      if (!must_be_new && is_able(given.connection->endpoint) && !given.connection->is_stale()) {
        connection = std::move(given.connection);
        co_return error_code{};
      }
      connection->slot = std::move(given.connection->slot);
      given.connection.reset();
    } else {
      connection->slot = std::move(given.slot);
    }
    if (!connection->slot) {
      co_return UpstreamError::full;
    }
  }
  const error_code error = co_await connection->endpoint.connect(*connection);
  co_return error;
}

void Upstream::close_idle() {
  for (const auto& endpoint : endpoints_) {
    endpoint->close_idle();
  }
}

std::size_t Upstream::connections() const {
  std::size_t all = 0;
  for (const auto& endpoint : endpoints_) all += endpoint->connections();
  return all;
}

bool Upstream::has_idle() const {
  return std::any_of(endpoints_.begin(), endpoints_.end(), [](const auto& endpoint) { return endpoint->has_idle(); });
}

}  // namespace keygate::proxy
