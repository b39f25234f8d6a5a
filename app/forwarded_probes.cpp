#include "app/forwarded_probes.hpp"

#include "proxy/connection_budget.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/endpoint.hpp"
#include "proxy/health_probe.hpp"
#include "proxy/name_source.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

namespace keygate::app {

// What endpoints need and outlive nobody of.
struct ForwardedProbes::Room {
  explicit Room(net::io_context& control) : io(control), names(control) {}

  net::io_context& io;
  proxy::DeadlineWheel deadlines;  // never advanced: a probe has a limit of its own
  proxy::SystemNames names;
  proxy::ConnectionBudget budget{1};
};

struct ForwardedProbes::Probed {
  Probed(std::shared_ptr<Room> of_all, config::ForwardedProbeSettings given, std::shared_ptr<proxy::Endpoint> whom,
         std::size_t most_waiting)
      : room(std::move(of_all)),
        settings(std::move(given)),
        endpoint(std::move(whom)),
        share(most_waiting),
        pause(room->io) {}

  void tell(const Answer& told) {
    for (const Done& done : std::exchange(waiting, {})) {
      done(told);
    }
  }
  const std::shared_ptr<Room> room;
  const config::ForwardedProbeSettings settings;
  const std::shared_ptr<proxy::Endpoint> endpoint;
  const std::size_t share;
  proxy::SteadyTimer pause;                   // passed: it may be asked
  std::shared_ptr<proxy::HealthProbe> probe;  // the last one, while it is under way
  bool is_asking = false;                     // else what is left of an answer is read
  std::vector<Done> waiting;
};

namespace {

constexpr unsigned unavailable = 503;

ForwardedProbes::Answer answer_of(const std::string& upstream, const proxy::HealthProbe& probe,
                                  const std::string& flaw) {
  const int status = probe.status();
  // A kubelet takes a redirect for success.
  const bool goes_on = (status >= 200 && status <= 299) || (status >= 400 && status <= 599);
  if (goes_on) {
    return {static_cast<unsigned>(status), upstream + " answered " + std::to_string(status) + "\n"};
  }
  return {unavailable, upstream + (probe.is_our_fault() ? " could not be asked: " : " is not well: ") + flaw + "\n"};
}

}  // namespace

ForwardedProbes::ForwardedProbes(net::io_context& control) : room_(std::make_shared<Room>(control)) {}

void ForwardedProbes::apply(const config::Settings& settings, const proxy::TlsContexts& tls) {
  by_path_.clear();
  if (!settings.health) {
    return;
  }
  const std::size_t paths = settings.health->forward.size();
  const std::size_t share = std::clamp<std::size_t>(max_waiting / std::max<std::size_t>(paths, 1), 1, max_share);
  for (const config::ForwardedProbeSettings& probe : settings.health->forward) {
    for (std::size_t i = 0; i < settings.upstreams.size(); ++i) {
      const config::UpstreamSettings& upstream = settings.upstreams[i];
      if (upstream.name != probe.upstream) {
        continue;
      }
      const proxy::Endpoint::Place place{.io = room_->io,
                                         .deadlines = room_->deadlines,
                                         .names = room_->names,
                                         .budget = room_->budget,
                                         .tls = i < tls.upstreams.size() ? tls.upstreams[i] : nullptr,
                                         .connect_timeout = upstream.connect_timeout,
                                         .idle_timeout = upstream.idle_timeout};
      auto endpoint = std::make_shared<proxy::Endpoint>(place, upstream.endpoints.front());
      by_path_[probe.path] = std::make_shared<Probed>(room_, probe, std::move(endpoint), share);
    }
  }
}

bool ForwardedProbes::ask(std::string_view path, Done done) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) {
    return false;
  }
  const std::shared_ptr<Probed>& probed = found->second;
  if (probed->waiting.size() == probed->share) {
    done({unavailable, "too many probes wait for an answer of " + probed->settings.upstream + "\n"});
    return true;
  }
  probed->waiting.push_back(std::move(done));
  if (probed->is_asking) {
    return true;
  }
  if (probed->probe) {
    probed->probe->cancel();  // nobody waits for its rest; an answer that was given before is no answer now
  }
  probed->is_asking = true;
  net::co_spawn(room_->io, run(probed), [probed](const std::exception_ptr& thrown) {
    if (thrown) {
      probed->is_asking = false;
      probed->tell({unavailable, "the probe could not be sent\n"});
    }
  });
  return true;
}

Awaitable<void> ForwardedProbes::run(std::shared_ptr<Probed> probed) {
  const config::ForwardedProbeSettings& settings = probed->settings;
  co_await probed->pause.async_wait(use_tuple);
  probed->pause.expires_after(pace);
  const auto probe =
      std::make_shared<proxy::HealthProbe>(probed->room->io, probed->endpoint, settings.target, settings.timeout);
  probed->probe = probe;
  const std::string flaw = co_await probe->ask();
  const Answer answer = answer_of(settings.upstream, *probe, flaw);
  telemetry::log(telemetry::Level::debug,
                 "probe " + settings.path + ": " + std::to_string(answer.status) + (flaw.empty() ? "" : ", " + flaw));
  probed->is_asking = false;
  probed->tell(answer);
  co_await probe->finish();
  if (probed->probe == probe) {
    probed->probe.reset();
  }
}

}  // namespace keygate::app
