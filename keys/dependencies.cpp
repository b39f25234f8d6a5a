#include "keys/dependencies.hpp"

#include "keys/redis_cache.hpp"
#include "keys/redis_link.hpp"
#include "keys/redis_subscription.hpp"
#include "keys/service_source.hpp"
#include "keys/store_thread.hpp"
#include "keys/usage_report.hpp"

#include <algorithm>
#include <utility>

namespace keygate::keys {
namespace {

constexpr std::size_t max_in_flight = 64;  // look-ups at the key service, of the process
constexpr std::size_t max_waiting = 256;
constexpr std::size_t least_in_flight = 4, least_waiting = 64;  // of a worker

// A worker's share of what the process may do, and no less than serves a worker to which many clients happen to come.
HttpLimits limits_for(std::size_t workers) {
  return {Dependencies::service_connections(workers), std::max(least_waiting, max_waiting / workers)};
}

RedisLinkSettings link_settings(const config::RedisSettings& redis, const Secrets& secrets) {
  return {redis, secrets.redis_password};
}

BreakerState state_of(Breaker::State state) {
  switch (state) {
    case Breaker::State::closed:
      return BreakerState::closed;
    case Breaker::State::half_open:
      return BreakerState::half_open;
    case Breaker::State::open:
      return BreakerState::open;
  }
  return BreakerState::open;
}

RedisCacheCounters sum_of(RedisCacheCounters sum, const RedisCacheCounters& other) {
  sum.hits += other.hits;
  sum.misses += other.misses;
  sum.revoked += other.revoked;
  sum.changed += other.changed;
  sum.errors += other.errors;
  for (std::size_t i = 0; i < sum.flaws.size(); ++i) sum.flaws[i] += other.flaws[i];
  sum.unfit_ages += other.unfit_ages;
  sum.fills += other.fills;
  sum.fills_refused += other.fills_refused;
  sum.fill_errors += other.fill_errors;
  return sum;
}

// Redis, as one worker asks it and hears from it.
struct Redis {
  Redis(net::io_context& io, const config::RedisSettings& settings, const Secrets& secrets)
      : link(io, link_settings(settings, secrets)),
        keys(link, RecordCodec(settings.name_space, RecordSubject::key, secrets.signing_keys)),
        sessions(link, RecordCodec(settings.name_space, RecordSubject::session, secrets.signing_keys)) {}

  void sign_with(const config::RedisSettings& settings, const Secrets& secrets) {
    keys.apply(RecordCodec(settings.name_space, RecordSubject::key, secrets.signing_keys));
    sessions.apply(RecordCodec(settings.name_space, RecordSubject::session, secrets.signing_keys));
  }

  RedisLink link;
  RedisCache keys;
  RedisCache sessions;
  std::unique_ptr<RedisSubscription> subscription;
};

}  // namespace

struct Dependencies::Impl {
  Impl(const Place& place, const config::ResolutionSettings& settings)
      : io(place.io), store_thread(place.store), budget(settings.unknown_key_budget, place.workers) {}

  void report_with(const std::shared_ptr<const ServiceAccess>& access);

  net::io_context& io;
  StoreThread* const store_thread;
  UnknownKeyBudget budget;
  std::unique_ptr<Source> store;
  std::unique_ptr<ServiceSource> key_service;
  std::unique_ptr<ServiceSource> session_service;
  std::optional<RedisLinkSettings> subscribed;
  std::string channel;
  std::unique_ptr<UsageReport> usage;
  std::unique_ptr<Redis> redis;
  std::unique_ptr<LimitTable> own_limits;
  std::unique_ptr<RateLimiter> limiter;
};

void Dependencies::Impl::report_with(const std::shared_ptr<const ServiceAccess>& access) {
  if (!access || !access->settings.usage_url) return usage.reset();
  if (usage) return usage->apply(access);
  usage = std::make_unique<UsageReport>(io, access);
}

Dependencies::Dependencies(const Place& place, const config::ResolutionSettings& settings, const Secrets& secrets)
    : impl_(std::make_unique<Impl>(place, settings)) {
  if (place.store != nullptr) impl_->store = place.store->source_for(place.io);
  if (secrets.service) {
    const HttpLimits limits = limits_for(place.workers);
    impl_->key_service = std::make_unique<ServiceSource>(place.io, secrets.service, CredentialRole::api_key, limits);
    if (settings.service && settings.service->session_url) {
      impl_->session_service =
          std::make_unique<ServiceSource>(place.io, secrets.service, CredentialRole::session, limits);
    }
  }
  impl_->report_with(secrets.service);
  if (settings.redis) {
    impl_->redis = std::make_unique<Redis>(place.io, *settings.redis, secrets);
    impl_->subscribed = link_settings(*settings.redis, secrets);
    impl_->channel = RecordCodec(settings.redis->name_space, RecordSubject::key, {}).channel();
  }
  if (place.limits == nullptr) impl_->own_limits = std::make_unique<LimitTable>();
  RateLimiter::Parts counts;
  counts.table = place.limits != nullptr ? place.limits : impl_->own_limits.get();
  if (settings.redis) counts.name_space = settings.redis->name_space;
  if (impl_->redis) counts.link = &impl_->redis->link;
  impl_->limiter = std::make_unique<RateLimiter>(place.io, std::move(counts));
}

Dependencies::~Dependencies() = default;

Resolver::Parts Dependencies::for_keys() const {
  Resolver::Parts parts;
  if (impl_->store) parts.sources.push_back(impl_->store.get());
  if (impl_->key_service) parts.sources.push_back(impl_->key_service.get());
  if (impl_->redis) parts.cache = &impl_->redis->keys;
  parts.budget = &impl_->budget;
  parts.expects_push = impl_->redis != nullptr;
  return parts;
}

Resolver::Parts Dependencies::for_sessions() const {
  Resolver::Parts parts;
  if (impl_->session_service) parts.sources.push_back(impl_->session_service.get());
  if (impl_->redis) parts.cache = &impl_->redis->sessions;
  parts.budget = &impl_->budget;
  parts.is_presentable = policy::is_presentable_session;
  parts.expects_push = impl_->redis != nullptr;
  return parts;
}

RateLimiter& Dependencies::limiter() { return *impl_->limiter; }

DependencyFigures Dependencies::figures() const {
  DependencyFigures out;
  if (const Redis* const redis = impl_->redis.get()) {
    out.has_redis = true;
    out.is_redis_up = redis->link.is_ready();
    out.redis_breaker = state_of(redis->link.breaker());
    out.redis_condition = to_string(redis->link.condition());
    out.is_push_up = redis->subscription && redis->subscription->is_up();
    out.revocations = redis->subscription ? redis->subscription->counters().messages : 0;
    out.redis = sum_of(redis->keys.counters(), redis->sessions.counters());
  }
  for (const auto* const service : {impl_->key_service.get(), impl_->session_service.get()}) {
    if (service == nullptr) continue;
    const auto breaker = !service->is_down()    ? BreakerState::closed
                         : service->is_trying() ? BreakerState::half_open
                                                : BreakerState::open;
    out.is_service_up = (!out.has_service || out.is_service_up) && !service->is_down();
    out.service_breaker = std::max(out.service_breaker, breaker);
    out.has_service = true;
  }
  return out;
}

std::size_t Dependencies::service_connections(std::size_t workers) {
  return std::max(least_in_flight, max_in_flight / workers);
}

void Dependencies::listen(Listener listener) {
  if (!impl_->redis) return;
  RedisSubscription::Events events;
  events.on_message = std::move(listener.on_change);
  events.on_up = std::move(listener.on_up);
  events.on_down = std::move(listener.on_down);
  impl_->redis->subscription =
      std::make_unique<RedisSubscription>(impl_->io, *impl_->subscribed, impl_->channel, std::move(events));
}

bool Dependencies::takes_uses() const { return impl_->store_thread != nullptr || impl_->usage != nullptr; }

void Dependencies::note_use(const KeyDigest& digest, std::int64_t unix_seconds, std::string_view scopes) {
  if (impl_->store_thread != nullptr) impl_->store_thread->note_use(digest, unix_seconds, scopes);
  if (impl_->usage) impl_->usage->note(digest, unix_seconds, scopes);
}

void Dependencies::tell_uses() {
  if (impl_->usage) impl_->usage->send_now();
}

void Dependencies::close() {
  impl_->usage.reset();
  impl_->limiter.reset();
  impl_->redis.reset();
  impl_->session_service.reset();
  impl_->key_service.reset();
}

void Dependencies::apply(const config::ResolutionSettings& settings, const Secrets& secrets) {
  impl_->budget.apply(settings.unknown_key_budget);
  impl_->report_with(secrets.service);
  if (impl_->key_service && secrets.service) impl_->key_service->apply(secrets.service);
  if (impl_->session_service && secrets.service) impl_->session_service->apply(secrets.service);
  if (!impl_->redis || !settings.redis) return;
  const RedisLinkSettings next = link_settings(*settings.redis, secrets);
  impl_->redis->sign_with(*settings.redis, secrets);
  impl_->redis->link.apply(next);
  if (impl_->redis->subscription) impl_->redis->subscription->apply(next);
}

}  // namespace keygate::keys
