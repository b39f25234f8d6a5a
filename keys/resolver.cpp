#include "keys/resolver.hpp"

#include "keys/freshness.hpp"
#include "keys/single_flight.hpp"

#include <algorithm>
#include <utility>

namespace keygate::keys {

namespace {

// A key that changes faster than a source answers is given up on: "could not find out", not an old answer.
constexpr unsigned max_repeats = 3;
constexpr std::string_view shared_name = "redis";
constexpr std::size_t max_granted = 256;  // C-14

bool is_usable(const policy::KeyAnswer& answer) {
  if (answer.state != policy::KeyAnswer::State::valid) return true;
  return policy::is_presentable(answer.principal) && answer.principal.granted.size() <= max_granted;
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
        cache(settings.memory, bound + stale_if_error) {
    if (parts.expects_push) lease.expect_push();
  }

  void join(const KeyDigest& digest, SecretView secret, Waiter& waiter);
  std::shared_ptr<Flight> begin(const KeyDigest& digest, SecretView secret);
  void start(const std::shared_ptr<Flight>& flight);
  void hear_cache(const std::shared_ptr<Flight>& flight, Result<Cached> cached);
  void validate(const std::shared_ptr<Flight>& flight, Found found);
  void ask(const std::shared_ptr<Flight>& flight);
  void hear(const std::shared_ptr<Flight>& flight, Result<Found> found);
  void ask_next(const std::shared_ptr<Flight>& flight, error_code failed);
  void ask_again(const std::shared_ptr<Flight>& flight);
  std::shared_ptr<const Record> remember(const Flight& flight, Found found, std::string_view source);
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
  MemoryCache cache;
  boost::unordered_flat_map<KeyDigest, std::shared_ptr<Flight>, DigestHash> flights;
};

void Resolver::Impl::join(const KeyDigest& digest, SecretView secret, Waiter& waiter) {
  if (const auto found = flights.find(digest); found != flights.end()) return found->second->join(waiter);
  if (parts.sources.empty()) return waiter.wake(make_error_code(errc::unavailable));
  const auto flight = begin(digest, secret);
  flight->join(waiter);
  start(flight);
}

std::shared_ptr<Flight> Resolver::Impl::begin(const KeyDigest& digest, SecretView secret) {
  auto flight = std::make_shared<Flight>(digest, secret);
  flights.emplace(digest, flight);
  return flight;
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
  if (flight->is_outdated) return ask_again(flight);
  // What could not be read may hide a tombstone: then nothing is written over it either. The script that writes sees to
  // that, so a fill is still allowed.
  if (cached.has_error()) return ask(flight);
  switch (cached->kind) {
    case Cached::Kind::miss:
      return ask(flight);
    case Cached::Kind::changed:
      flight->may_fill = false;
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
  const auto asked_at = flight->asked_at - std::max(found.age, std::chrono::milliseconds{0});
  // Within the tenth in which records are renewed, who knows the key is asked, not who keeps copies.
  const bool is_due = now - asked_at >= renewal_age(flight->digest, bound);
  if (!is_usable(found.answer) || is_due) return ask(flight);
  const bool is_known_younger = known && known->answer.state == policy::KeyAnswer::State::valid &&
                                known->asked_at >= asked_at && known->generation == generation;
  if (!is_known_younger) return land(flight, remember(*flight, std::move(found), shared_name));
  auto validated = std::make_shared<Record>(*known);
  validated->validated_at = flight->asked_at;
  cache.put(flight->digest, validated, now);
  land(flight, std::shared_ptr<const Record>(std::move(validated)));
}

void Resolver::Impl::ask(const std::shared_ptr<Flight>& flight) {
  flight->is_outdated = false;
  flight->asked_at = parts.now();
  Source::Done done = [this, asked = std::weak_ptr(flight)](Result<Found> found) {
    if (const auto waited_for = asked.lock()) hear(waited_for, std::move(found));
  };
  parts.sources[flight->source]->look_up(flight->digest, flight->secret, std::move(done));
}

void Resolver::Impl::hear(const std::shared_ptr<Flight>& flight, Result<Found> found) {
  if (found.has_error()) return ask_next(flight, found.error());
  if (flight->is_outdated) return ask_again(flight);
  found->age = std::max(found->age, std::chrono::milliseconds{0});
  const auto age_now = std::chrono::ceil<std::chrono::milliseconds>(parts.now() - flight->asked_at) + found->age;
  if (age_now >= bound || !is_usable(found->answer)) return ask_next(flight, make_error_code(errc::invalid_answer));
  const bool is_worth_sharing =
      parts.cache != nullptr && flight->may_fill && found->answer.state == policy::KeyAnswer::State::valid;
  if (is_worth_sharing) parts.cache->fill(flight->digest, found->answer, age_now, bound);
  land(flight, remember(*flight, std::move(*found), parts.sources[flight->source]->name()));
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
  record->validated_at = flight.asked_at;
  record->source = source;
  cache.put(flight.digest, record, parts.now());
  return record;
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
  impl_->cache.apply(settings.memory, settings.staleness_bound + settings.stale_if_error);
}

std::shared_ptr<const Record> Resolver::recall(const KeyDigest& digest, SteadyTime now) {
  auto record = impl_->cache.find(digest, now);
  if (!record) return nullptr;
  const Freshness freshness = freshness_of(*record, digest, impl_->lease, impl_->bound, now);
  if (freshness != Freshness::fresh && freshness != Freshness::due) return nullptr;
  if (record->generation == impl_->generation) return record;
  record = judge_under(*impl_->catalogue, impl_->generation, std::move(record));
  impl_->cache.put(digest, record, now);
  return record;
}

void Resolver::renew_if_due(const KeyDigest& digest, SecretView secret, const Record& record, SteadyTime now) {
  const bool is_due = now - record.asked_at >= renewal_age(digest, impl_->bound);
  if (!is_due || impl_->parts.sources.empty() || impl_->flights.contains(digest)) return;
  impl_->start(impl_->begin(digest, secret));
}

void Resolver::push_up() { impl_->lease.up(impl_->parts.now()); }

void Resolver::push_down() { impl_->lease.down(); }

Awaitable<Resolved> Resolver::look_up(KeyDigest digest, SecretView secret, SteadyTime deadline) {
  if (deadline <= std::chrono::steady_clock::now()) co_return make_error_code(errc::timed_out);
  Waiter waiter(impl_->io, deadline);
  impl_->join(digest, secret, waiter);
  // From here on the resolver may be gone.
  const std::weak_ptr<Impl> asked = impl_;
  Resolved outcome = co_await waiter.wait();
  const bool is_late = outcome.has_error() && outcome.error() == errc::timed_out;
  const auto impl = is_late ? asked.lock() : nullptr;
  if (impl == nullptr) co_return outcome;
  co_return impl->fall_back(digest, errc::timed_out);
}

void Resolver::invalidate(const KeyDigest& digest) {
  impl_->cache.forget(digest);
  if (const auto found = impl_->flights.find(digest); found != impl_->flights.end()) found->second->is_outdated = true;
}

std::size_t Resolver::known_keys() const { return impl_->cache.known_size(); }

std::size_t Resolver::lookups_in_flight() const { return impl_->flights.size(); }

}  // namespace keygate::keys
