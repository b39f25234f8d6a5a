#include "app/connection_trials.hpp"

#include "keys/dependency_trial.hpp"
#include "keys/key_record.hpp"
#include "proxy/connection_budget.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/endpoint.hpp"
#include "proxy/health_probe.hpp"
#include "proxy/name_source.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace keygate::app {
namespace {

class Trials {
 public:
  explicit Trials(const proxy::Snapshot& snapshot) : snapshot_(snapshot) {}

  ConnectionTrials run() && {
    const config::ResolutionSettings& resolution = snapshot_.settings->resolution;
    if (resolution.redis) try_redis(*resolution.redis);
    if (snapshot_.secrets.service) try_service(snapshot_.secrets.service);
    for (std::size_t i = 0; i < snapshot_.settings->upstreams.size(); ++i) {
      try_upstream(snapshot_.settings->upstreams[i], snapshot_.tls.upstreams[i]);
    }
    io_.run();
    config::sort_by_place(result_.problems);
    return std::move(result_);
  }

 private:
  // What becomes of a trial, told once.
  auto heard(const config::Position& where, std::string path, std::string whom) {
    ++result_.tried;
    return [this, where, path = std::move(path), whom = std::move(whom)](const std::string& flaw) {
      if (flaw.empty()) return;
      result_.problems.push_back({config::Severity::error, where, path, whom + " cannot be used: " + flaw, ""});
    };
  }

  void try_redis(const config::RedisSettings& redis) {
    const keys::RedisLinkSettings settings{redis, snapshot_.secrets.redis_password};
    const std::string channel = keys::RecordCodec(redis.name_space, keys::RecordSubject::key, {}).channel();
    const std::string shown = keys::RedisEndpoint(settings).shown;
    keys::try_redis(io_, settings, channel, heard(redis.where, "resolution.redis", "Redis at " + shown));
  }

  void try_service(const std::shared_ptr<const keys::ServiceAccess>& access) {
    const config::ServiceSettings& service = access->settings;
    const auto url_of = [](const config::ServiceUrl& url) {
      return std::string(url.is_tls ? "https://" : "http://") + url.authority;
    };
    keys::try_service(io_, access, keys::CredentialRole::api_key,
                      heard(service.where, "resolution.service.url", "the key service at " + url_of(service.url)));
    if (!service.session_url) return;
    keys::try_service(
        io_, access, keys::CredentialRole::session,
        heard(service.where, "resolution.service.session_url", "the key service at " + url_of(*service.session_url)));
  }

  void try_upstream(const config::UpstreamSettings& upstream, const std::shared_ptr<const proxy::UpstreamTls>& tls) {
    const proxy::Endpoint::Place place{
        io_, deadlines_, names_, budget_, tls, upstream.connect_timeout, upstream.idle_timeout};
    for (const config::EndpointSettings& settings : upstream.endpoints) {
      const auto& check = upstream.health_check;
      const auto endpoint = std::make_shared<proxy::Endpoint>(place, settings);
      const auto probe =
          std::make_shared<proxy::HealthProbe>(io_, endpoint, check ? check->path : std::string(),
                                               upstream.connect_timeout + (check ? check->timeout : no_time));
      net::co_spawn(io_, ask(probe, heard(upstream.where, "upstreams." + upstream.name, proxy::name_of(settings))),
                    [](const std::exception_ptr&) {});
    }
  }

  template <class Heard>
  static Awaitable<void> ask(std::shared_ptr<proxy::HealthProbe> probe, Heard heard) {
    const std::string flaw = co_await probe->ask();
    heard(flaw);
    co_await probe->finish();
  }

  static constexpr std::chrono::milliseconds no_time{0};

  const proxy::Snapshot& snapshot_;
  ConnectionTrials result_;
  net::io_context io_{1};
  proxy::DeadlineWheel deadlines_;
  proxy::SystemNames names_{io_};
  proxy::ConnectionBudget budget_{1};
};

}  // namespace

ConnectionTrials try_connections(const proxy::Snapshot& snapshot) { return Trials(snapshot).run(); }

}  // namespace keygate::app
