#include "keys/resolver.hpp"

#include "keys/freshness.hpp"
#include "keys/pushed_changes.hpp"
#include "keys/slow_lane.hpp"
#include "telemetry/log.hpp"

#include <algorithm>
#include <utility>

namespace keygate::keys {

namespace {

// A key that changes faster than a source answers is given up on: "could not find out", not an old answer.
constexpr unsigned max_repeats = 3;
constexpr std::string_view shared_name = "redis";

// Over all that a look-up asks, each of which has its own limit within.
std::chrono::milliseconds patience_with(const config::ResolutionSettings& settings) {
  constexpr std::chrono::milliseconds of_the_store{2'000}, slack{250};
  std::chrono::milliseconds all = settings.service ? settings.service->timeout : of_the_store;
  if (settings.redis) all += settings.redis->timeout;
  return all + slack;
}

policy::Held held_under(const policy::Catalogue& catalogue, const policy::KeyAnswer& answer) {
  if (answer.state != policy::KeyAnswer::State::valid) return {};
  return catalogue.expand(answer.principal.granted);
}

}  // namespace

std::shared_ptr<const Record> judge_under(const policy::Catalogue& catalogue, std::uint64_t generation,
                                          std::shared_ptr<const Record> record) {
  if (record->generation == generation) return record;
  auto judged = std::make_shared<Record>(*record);
  judged->held = held_under(catalogue, judged->answer);
  judged->generation = generation;
  return judged;
}

struct Resolver::Impl {
  Impl(net::io_context& context, Parts given, const config::ResolutionSettings& settings)
      : io(context),
        parts(std::move(given)),
        bound(settings.staleness_bound),
        stale_if_error(settings.stale_if_error),
        patience(patience_with(settings)),
        cache(settings.memory, bound + stale_if_error) {
    if (parts.expects_push) lease.expect_push();
  }

  void join(const KeyDigest& digest, SecretView secret, const Asker& asker, Waiter& waiter);
  bool is_usable(const Flight& flight, const policy::KeyAnswer& answer) const;
  void start(const std::shared_ptr<Flight>& flight);
  void hear_cache(const std::shared_ptr<Flight>& flight, Result<Cached> cached);
  void validate(const std::shared_ptr<Flight>& flight, Found found);
  void ask(const std::shared_ptr<Flight>& flight);
  bool is_held_up(const std::shared_ptr<Flight>& flight);
  void pass_on_turn(const AskerAddress& asker);
  void hear(const std::shared_ptr<Flight>& flight, Result<Found> found);
  void share(const Flight& flight, const Found& found, std::chrono::milliseconds age_now);
  void ask_next(const std::shared_ptr<Flight>& flight, error_code failed);
  void ask_again(const std::shared_ptr<Flight>& flight);
  std::shared_ptr<const Record> remember(const Flight& flight, Found found, std::string_view source);
  SteadyTime vouched_for_at(const Flight& flight) const;
  Resolved fall_back(const KeyDigest& digest, error_code failed);
  void land(const std::shared_ptr<Flight>& flight, const Resolved& outcome);

  net::io_context& io;
  const Parts parts;
  std::chrono::milliseconds bound;
  std::chrono::milliseconds stale_if_error;
  const policy::Catalogue no_catalogue;
  const policy::Catalogue* catalogue = &no_catalogue;
  std::uint64_t generation = 0;
  Lease lease;
  bool is_closed = false;
  std::chrono::milliseconds patience;
  PushedChanges changes;
  MemoryCache cache;
  SlowLane slow_lane;
  boost::unordered_flat_map<KeyDigest, std::shared_ptr<Flight>, DigestHash> flights;
};

void Resolver::Impl::join(const KeyDigest& digest, SecretView secret, const Asker& asker, Waiter& waiter) {
  if (const auto found = flights.find(digest); found != flights.end()) return found->second->join(waiter);
  if (parts.sources.empty() || is_closed) return waiter.wake(make_error_code(errc::unavailable));
  const auto flight = std::make_shared<Flight>(digest, secret);
  flight->asker = asker.address;
  flight->prefix_environment = asker.prefix_environment;
  flight->join(waiter);
  flights.emplace(digest, flight);
  start(flight);
}

// The shared cache first, where there is one.
void Resolver::Impl::start(const std::shared_ptr<Flight>& flight) {
  flight->is_outdated = false;
  flight->may_fill = true;
  flight->source = 0;
  if (parts.cache == nullptr) return ask(flight);
  flight->asked_at = parts.now();
  // The flight lives in `flights` alone, so one that can be locked means that `this` is there too.
  SharedCache::Done done = [this, asked = std::weak_ptr(flight)](Result<Cached> cached) {
    if (const auto waited_for = asked.lock()) hear_cache(waited_for, std::move(cached));
  };
  parts.cache->get(flight->digest, bound, std::move(done));
}

void Resolver::Impl::hear_cache(const std::shared_ptr<Flight>& flight, Result<Cached> cached) {
  flight->cache_time = cached.has_value() ? cached->time : std::nullopt;
  flight->cache_heard_at = parts.now();
  if (flight->is_outdated) return ask_again(flight);
  if (cached.has_error()) return ask(flight);
  switch (cached->kind) {
    case Cached::Kind::miss:
      return ask(flight);
    case Cached::Kind::changed:
      flight->may_fill = false;
      cache.forget(flight->digest);  // whoever knows it has to be asked, and nothing older serves
      return ask(flight);
    case Cached::Kind::revoked: {
      Found revoked;
      revoked.answer.state = policy::KeyAnswer::State::revoked;
      return land(flight, remember(*flight, std::move(revoked), shared_name));
    }
    case Cached::Kind::record:
      return validate(flight, std::move(cached->found));
  }
}

// The shared cache holds a record, and so no tombstone. What this worker knows may be younger than it.
void Resolver::Impl::validate(const std::shared_ptr<Flight>& flight, Found found) {
  const auto now = parts.now();
  const auto known = cache.find(flight->digest, now);
  found.age = std::max(found.age, std::chrono::milliseconds{0});
  const auto asked_at = flight->asked_at - found.age;
  // A copy of before a change that was pushed has come back: from a replica that has not heard of it, say (F-27).
  const bool is_outdated = changes.has_changed_since(flight->digest, asked_at, now - bound);
  if (is_outdated || !is_usable(*flight, found.answer)) return ask(flight);
  const bool is_known_younger = known && known->answer.state == policy::KeyAnswer::State::valid &&
                                known->asked_at >= asked_at && known->generation == generation;
  // Within the tenth in which records are renewed, who knows the key is asked, not who keeps copies; those serve where
  // it cannot be.
  const bool is_due = now - asked_at >= renewal_age(flight->digest, bound);
  if (!is_known_younger) {
    auto record = remember(*flight, std::move(found), shared_name);
    return is_due ? ask(flight) : land(flight, std::move(record));
  }
  if (is_due) return ask(flight);
  auto validated = std::make_shared<Record>(*known);
  validated->validated_at = flight->asked_at;
  cache.put(flight->digest, validated, now);
  land(flight, std::shared_ptr<const Record>(std::move(validated)));
}

void Resolver::Impl::ask(const std::shared_ptr<Flight>& flight) {
  if (is_held_up(flight)) return;
  flight->is_outdated = false;
  flight->asked_at = parts.now();
  Source::Done done = [this, asked = std::weak_ptr(flight)](Result<Found> found) {
    if (const auto waited_for = asked.lock()) hear(waited_for, std::move(found));
  };
  parts.sources[flight->source]->look_up(flight->digest, flight->secret, std::move(done));
}

// Whether this look-up has to wait, or has been refused: its asker has presented too many keys that nobody knows. What
// memory knows, or a tombstone stands for, is no such key.
bool Resolver::Impl::is_held_up(const std::shared_ptr<Flight>& flight) {
  if (flight->has_turn || !flight->may_fill || !flight->asker || parts.budget == nullptr) return false;
  const auto now = parts.now();
  if (!parts.budget->is_spent(*flight->asker, now)) return false;
  const auto known = cache.find(flight->digest, now);
  if (known && known->answer.state != policy::KeyAnswer::State::unknown) return false;
  switch (slow_lane.enter(*flight->asker, flight)) {
    case SlowLane::Turn::now:
      flight->has_turn = flight->is_in_slow_lane = true;
      return false;
    case SlowLane::Turn::later:
      return true;
    case SlowLane::Turn::never:
      break;
  }
  telemetry::log_seldom(telemetry::Level::warn, "unknown_keys",
                        "a client presents more unknown keys than resolution.unknown_key_budget allows, so those that "
                        "are new get 429: the access log says who, with code too_many_unknown_keys");
  land(flight, make_error_code(errc::over_budget));
  return true;
}

// To the next that somebody still waits for.
void Resolver::Impl::pass_on_turn(const AskerAddress& asker) {
  while (const auto next = slow_lane.leave(asker)) {
    next->has_turn = next->is_in_slow_lane = true;
    if (next->is_awaited()) return ask(next);
    flights.erase(next->digest);
  }
}

void Resolver::Impl::hear(const std::shared_ptr<Flight>& flight, Result<Found> found) {
  if (found.has_error()) return ask_next(flight, found.error());
  if (flight->is_outdated) return ask_again(flight);
  const bool is_unknown = found->answer.state == policy::KeyAnswer::State::unknown;
  if (is_unknown && flight->asker && parts.budget != nullptr) parts.budget->spend(*flight->asker, parts.now());
  found->age = std::max(found->age, std::chrono::milliseconds{0});
  const auto age_now = std::chrono::ceil<std::chrono::milliseconds>(parts.now() - flight->asked_at) + found->age;
  if (age_now >= bound || !is_usable(*flight, found->answer)) return ask_next(flight, make_error_code(errc::invalid_answer));
  share(*flight, *found, age_now);
  auto record = remember(*flight, std::move(*found), parts.sources[flight->source]->name());
  land(flight, std::move(record));
}

// What may be acted on. Anything else is remembered by nobody, and not told to the others.
bool Resolver::Impl::is_usable(const Flight& flight, const policy::KeyAnswer& answer) const {
  if (answer.state != policy::KeyAnswer::State::valid) return true;
  const policy::Environment said = answer.principal.environment;
  const bool contradicts = flight.prefix_environment != policy::Environment::none &&
                           said != policy::Environment::none && said != flight.prefix_environment;
  const bool is_fit = parts.is_presentable(answer.principal);
  if (is_fit && !contradicts) return true;
  telemetry::log_seldom(telemetry::Level::error, "unfit_identity",
                        contradicts ? "a key's record says another environment than the key's prefix (key_id " +
                                          answer.principal.key_id + "): not believed, so its requests get 503"
                                    : "a key's record has an identity that no header can carry, so its requests get 503");
  return false;
}

// On the cache's clock, the source was asked no earlier than this says: a copy ends with the bound, whenever it gets
// there and whatever the wall clocks of this machine and the next reader's show.
void Resolver::Impl::share(const Flight& flight, const Found& found, std::chrono::milliseconds age_now) {
  const bool is_worth_sharing = flight.may_fill && found.answer.state == policy::KeyAnswer::State::valid;
  if (parts.cache == nullptr || !is_worth_sharing || !flight.cache_time) return;
  const auto asked_at =
      *flight.cache_time + std::chrono::floor<std::chrono::milliseconds>(flight.asked_at - flight.cache_heard_at);
  parts.cache->fill(flight.digest, found.answer, {age_now, bound, asked_at - found.age + bound});
}

void Resolver::Impl::ask_next(const std::shared_ptr<Flight>& flight, error_code failed) {
  if (++flight->source < parts.sources.size()) return ask(flight);
  land(flight, fall_back(flight->digest, failed));
}

void Resolver::Impl::ask_again(const std::shared_ptr<Flight>& flight) {
  if (++flight->repeats > max_repeats) return land(flight, make_error_code(errc::unavailable));
  start(flight);
}

std::shared_ptr<const Record> Resolver::Impl::remember(const Flight& flight, Found found, std::string_view source) {
  auto record = std::make_shared<Record>();
  record->held = held_under(*catalogue, found.answer);
  record->answer = std::move(found.answer);
  record->generation = generation;
  record->asked_at = flight.asked_at - found.age;
  record->validated_at = vouched_for_at(flight);
  record->source = source;
  cache.put(flight.digest, record, parts.now());
  return record;
}

// A change was pushed, and the shared cache, which would have the tombstone, could not be read: whoever answered may not
// have heard of the change yet, so the answer is looked at again before each use.
SteadyTime Resolver::Impl::vouched_for_at(const Flight& flight) const {
  const bool is_unsure = parts.cache != nullptr && !flight.cache_time &&
                         changes.has_changed_since(flight.digest, parts.now() - bound, parts.now() - bound);
  return is_unsure ? flight.asked_at - bound : flight.asked_at;
}

// Nobody could be asked. What is known serves within the bound; past it only what was good, and only as long as the
// operator has chosen.
Resolved Resolver::Impl::fall_back(const KeyDigest& digest, error_code failed) {
  const auto now = parts.now();
  auto known = cache.find(digest, now);
  if (!known || known->answer.state == policy::KeyAnswer::State::unknown) return failed;
  known = judge_under(*catalogue, generation, std::move(known));
  if (now - known->asked_at < bound) return known;
  const bool may_serve =
      known->answer.state == policy::KeyAnswer::State::valid && now - known->asked_at < bound + stale_if_error;
  if (!may_serve) return failed;
  auto stale = std::make_shared<Record>(*known);
  stale->is_stale = true;
  return std::shared_ptr<const Record>(std::move(stale));
}

void Resolver::Impl::land(const std::shared_ptr<Flight>& flight, const Resolved& outcome) {
  flights.erase(flight->digest);
  flight->land(outcome);
  if (flight->is_in_slow_lane) pass_on_turn(*flight->asker);
}

Resolver::Resolver(net::io_context& io, Parts parts, const config::ResolutionSettings& settings)
    : impl_(std::make_shared<Impl>(io, std::move(parts), settings)) {}

Resolver::~Resolver() = default;

void Resolver::apply(const policy::Catalogue& catalogue, std::uint64_t generation,
                     const config::ResolutionSettings& settings) {
  impl_->catalogue = &catalogue;
  impl_->generation = generation;
  impl_->bound = settings.staleness_bound;
  impl_->stale_if_error = settings.stale_if_error;
  impl_->patience = patience_with(settings);
  impl_->cache.apply(settings.memory, settings.staleness_bound + settings.stale_if_error);
}

std::shared_ptr<const Record> Resolver::recall(const KeyDigest& digest, SteadyTime now) {
  auto record = impl_->cache.find(digest, now);
  if (!record || freshness_of(*record, digest, impl_->lease, impl_->bound, now) != Freshness::fresh) return nullptr;
  if (record->generation == impl_->generation) return record;
  record = judge_under(*impl_->catalogue, impl_->generation, std::move(record));
  impl_->cache.put(digest, record, now);
  return record;
}

void Resolver::push_up() { impl_->lease.up(impl_->parts.now()); }

void Resolver::push_down() { impl_->lease.down(); }

Awaitable<Resolved> Resolver::look_up(KeyDigest digest, SecretView secret, SteadyTime deadline,
                                      Asker asker) {
  if (deadline <= std::chrono::steady_clock::now()) co_return make_error_code(errc::timed_out);
  Waiter waiter(impl_->io, deadline);
  impl_->join(digest, secret, asker, waiter);
  // From here on the resolver may be gone.
  const std::weak_ptr<Impl> alive = impl_;
  Resolved outcome = co_await waiter.wait();
  const bool is_late = outcome.has_error() && outcome.error() == errc::timed_out;
  if (const auto impl = alive.lock(); impl && is_late) outcome = impl->fall_back(digest, errc::timed_out);
  co_return outcome;
}

std::chrono::milliseconds Resolver::patience() const { return impl_->patience; }

bool Resolver::has_changed_since(const KeyDigest& digest, SteadyTime since) const {
  return impl_->changes.has_changed_since(digest, since, impl_->parts.now() - impl_->bound);
}

void Resolver::invalidate(const KeyDigest& digest) {
  impl_->cache.forget(digest);
  const auto now = impl_->parts.now();
  impl_->changes.note(digest, now, now - impl_->bound);
  if (const auto found = impl_->flights.find(digest); found != impl_->flights.end()) found->second->is_outdated = true;
}

void Resolver::close() {
  impl_->is_closed = true;
  impl_->flights.clear();
}

std::size_t Resolver::known_keys() const { return impl_->cache.known_size(); }

std::size_t Resolver::lookups_in_flight() const { return impl_->flights.size(); }

}  // namespace keygate::keys
