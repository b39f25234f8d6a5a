// How a resolver finds out: one flight a digest, through the shared cache and the sources.
#include "keys/resolver_impl.hpp"
#include "telemetry/log.hpp"

#include <algorithm>
#include <utility>

namespace keygate::keys {

namespace {

// A key that changes faster than a source answers is given up on: "could not find out", not an old answer.
constexpr unsigned max_repeats = 3;
constexpr std::string_view shared_name = "redis";

}  // namespace

void Resolver::Impl::join(const KeyDigest& digest, SecretView secret, const Asker& asker, Waiter& waiter) {
  if (const auto found = flights.find(digest); found != flights.end()) return found->second->join(waiter);
  if (parts.sources.empty() || is_closed) return waiter.wake(make_error_code(errc::unavailable));
  const auto flight = begin(digest, secret, asker);
  flight->join(waiter);
  start(flight);
}

std::shared_ptr<Flight> Resolver::Impl::begin(const KeyDigest& digest, SecretView secret, const Asker& asker) {
  auto flight = std::make_shared<Flight>(digest, secret);
  flight->asker = asker.address;
  flight->prefix_environment = asker.prefix_environment;
  flights.emplace(digest, flight);
  return flight;
}

// The shared cache first, where there is one.
void Resolver::Impl::start(const std::shared_ptr<Flight>& flight) {
  flight->is_outdated = false;
  flight->may_fill = true;
  flight->source = 0;
  flight->is_cache_readable = false;
  flight->cache_time.reset();
  if (parts.cache == nullptr) return ask(flight);
  flight->asked_at = parts.now();
  // The flight lives in `flights` alone, so one that can be locked means that `this` is there too.
  SharedCache::Done done = [this, asked = std::weak_ptr(flight)](Result<Cached> cached) {
    if (const auto waited_for = asked.lock()) hear_cache(waited_for, std::move(cached));
  };
  parts.cache->get(flight->digest, bound, std::move(done));
}

void Resolver::Impl::hear_cache(const std::shared_ptr<Flight>& flight, Result<Cached> cached) {
  flight->is_cache_readable = cached.has_value();
  if (flight->is_outdated) return ask_again(flight);
  if (cached.has_error()) return ask(flight);
  switch (cached->kind) {
    case Cached::Kind::miss:
      return learn_time(flight);
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
  if (is_outdated || !is_usable(*flight, found.answer)) return learn_time(flight);
  const bool is_known_younger = known && known->answer.state == policy::KeyAnswer::State::valid &&
                                known->asked_at >= asked_at && known->generation == generation;
  // Within the tenth in which records are renewed, who knows the key is asked, not who keeps copies; those serve where
  // it cannot be.
  const bool is_due = now - asked_at >= renewal_age(flight->digest, bound);
  if (!is_known_younger) {
    auto record = remember(*flight, std::move(found), shared_name);
    return is_due ? learn_time(flight) : land(flight, std::move(record));
  }
  if (is_due) return learn_time(flight);
  auto validated = std::make_shared<Record>(*known);
  validated->validated_at = flight->asked_at;
  cache.put(flight->digest, validated, now);
  land(flight, std::shared_ptr<const Record>(std::move(validated)));
}

// Before the source is asked: a copy of its answer ends a bound after this moment on the cache's own clock.
void Resolver::Impl::learn_time(const std::shared_ptr<Flight>& flight) {
  SharedCache::TimeDone done = [this, asked = std::weak_ptr(flight)](Result<std::chrono::milliseconds> time) {
    const auto waited_for = asked.lock();
    if (!waited_for) return;
    if (waited_for->is_outdated) return ask_again(waited_for);
    if (time.has_value()) waited_for->cache_time = *time;
    waited_for->cache_heard_at = parts.now();
    ask(waited_for);
  };
  parts.cache->tell_time(std::move(done));
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
  auto& results = counters.sources[flight->source].results;
  const bool may_be_used = found.has_error() || is_usable(*flight, found->answer);
  ++results[static_cast<std::size_t>(result_of(found, may_be_used))];
  if (found.has_error()) return ask_next(flight, found.error());
  if (flight->is_outdated) return ask_again(flight);
  const bool is_unknown = found->answer.state == policy::KeyAnswer::State::unknown;
  if (is_unknown && flight->asker && parts.budget != nullptr) parts.budget->spend(*flight->asker, parts.now());
  found->age = std::max(found->age, std::chrono::milliseconds{0});
  const auto age_now = std::chrono::ceil<std::chrono::milliseconds>(parts.now() - flight->asked_at) + found->age;
  if (age_now >= bound || !may_be_used) return ask_next(flight, make_error_code(errc::invalid_answer));
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
                        contradicts
                            ? "a key's record says another environment than the key's prefix (key_id " +
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

void Resolver::Impl::land(const std::shared_ptr<Flight>& flight, const Resolved& outcome) {
  flights.erase(flight->digest);
  flight->land(outcome);
  if (flight->is_in_slow_lane) pass_on_turn(*flight->asker);
}

}  // namespace keygate::keys
