// What operators and their machines see of a server: probes and metrics.
#include "app/server_impl.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

namespace keygate::app {

std::string_view Server::Impl::unready() const {
  if (drain != nullptr || is_leaving) {
    return "draining";
  }
  return bypass.unready();
}

std::optional<std::string> Server::Impl::open_health() {
  if (!settings().health) {
    return std::nullopt;
  }
  HealthChecks checks;
  checks.is_live = [this] { return heartbeat.is_live(); };
  checks.unready = [this] { return unready(); };
  checks.metrics = [this](std::function<void(std::string)> done) {
    survey.ask([this, done = std::move(done)](const Survey::Figures& of_all) {
      done(metrics_text(total_of(of_all), figures(), process_facts()));
    });
  };
  checks.forward = [this](std::string_view path, ForwardedProbes::Done done) {
    return probes.ask(path, std::move(done));
  };
  probes.apply(settings(), snapshot->tls);
  const config::ListenerSettings& address = settings().health->address;
  auto opened = HealthServer::open(control, address, std::move(checks));
  if (!opened) {
    return "cannot listen on " + name_of(address) + ": " + opened.error().message();
  }
  health = std::move(*opened);
  return std::nullopt;
}

std::optional<std::string> Server::Impl::open_admin() {
  if (!settings().admin) {
    return std::nullopt;
  }
  auto opened = AdminServer::open(control, *settings().admin, admin_desk());
  if (!opened) {
    return "cannot listen on " + name_of(settings().admin->address) + ": " + opened.error().message();
  }
  admin = std::move(*opened);
  return std::nullopt;
}

AdminDesk Server::Impl::admin_desk() {
  return {.survey = survey,
          .snapshot = [this] { return snapshot; },
          .figures = [this] { return figures(); },
          .last_reload = [this] { return last_reload; },
          .is_live = [this] { return heartbeat.is_live(); },
          .is_draining = [this] { return drain != nullptr || is_leaving; },
          .reload = [this] { return reload(); },
          .drain = [this] { begin_leaving(); },
          .forget =
              [this](std::optional<keys::KeyDigest> digest) {
                if (digest) return forget({*digest});
                for (const auto& worker : workers) {
                  worker->post([](WorkerThread& thread) { thread.worker().forget_keys(); });
                }
              },
          .started_at = started_at};
}

// Readiness ends and answers say "Connection: close", while listeners go on until a signal says to stop, so that a
// preStop hook can wait for the load balancers.
void Server::Impl::begin_leaving() {
  if (is_leaving || drain) {
    return;
  }
  is_leaving = true;
  telemetry::log(telemetry::Level::info, "told to drain: not ready any more, and serving until it is told to stop");
  for (const auto& worker : workers) {
    worker->post([](WorkerThread& thread) { thread.worker().drain(); });
  }
}

ServerFigures Server::Impl::figures() const {
  ServerFigures now;
  now.generation = snapshot->generation;
  now.was_last_reload_good = last_reload.was_good;
  now.staleness_bound = settings().resolution.staleness_bound;
  now.store_changes = store_changes;
  now.dropped_lines = access_log.dropped();
  now.traces = traces.figures();
  now.on_loopback = bypass.findings();
  const auto today = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  now.shadow_routes = static_cast<std::size_t>(std::ranges::count_if(snapshot->policy->routes, [&](const auto& route) {
    return route->shadow_until && today < *route->shadow_until;
  }));
  return now;
}

}  // namespace keygate::app
