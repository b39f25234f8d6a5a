#include "proxy/health_check.hpp"

#include "telemetry/log.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace keygate::proxy {

HealthCheck::HealthCheck(net::io_context& io, const config::HealthCheckSettings& settings, Subject subject,
                         std::uint64_t seed)
    : io_(io),
      settings_(settings),
      subject_(std::move(subject)),
      probe_(std::make_shared<HealthProbe>(io, subject_.endpoint, settings_.path, settings_.timeout)),
      tally_(settings_.unhealthy_after, settings_.healthy_after),
      random_(static_cast<std::minstd_rand::result_type>(seed)),
      pause_(io) {}

void HealthCheck::start() {
  net::co_spawn(io_, run(shared_from_this()), [](const std::exception_ptr&) {});
}

void HealthCheck::stop() {
  is_stopped_ = true;
  pause_.cancel();
  probe_->cancel();
}

// A tenth more or less than the interval each time, so that many proxies do not ask at once.
Awaitable<void> HealthCheck::run(std::shared_ptr<HealthCheck> self) {
  while (!self->is_stopped_) {
    co_await self->check();
    if (self->is_stopped_) {
      break;
    }
    std::uniform_int_distribution<std::int64_t> around(-100, 100);
    self->pause_.expires_after(self->settings_.interval + self->settings_.interval * around(self->random_) / 1000);
    co_await self->pause_.async_wait(use_tuple);
  }
}

Awaitable<void> HealthCheck::check() {
  const std::string flaw = co_await probe_->ask();
  if (!is_stopped_ && !probe_->is_our_fault()) {
    take(flaw);
  }
  co_await probe_->finish();
}

void HealthCheck::take(const std::string& flaw) {
  const auto verdict = tally_.note(flaw.empty());
  if (!verdict) {
    return;
  }
  subject_.health->set_sick(subject_.number, *verdict);
  const std::string who = "upstream " + subject_.upstream + ": " + name_of(subject_.endpoint->settings());
  if (*verdict) {
    telemetry::log(telemetry::Level::warn, who + " is unhealthy: " + flaw);
  } else {
    telemetry::log(telemetry::Level::info, who + " is healthy again");
  }
}

}  // namespace keygate::proxy
