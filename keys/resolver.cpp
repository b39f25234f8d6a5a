#include "keys/resolver.hpp"

#include "keys/resolver_impl.hpp"

#include <utility>

namespace keygate::keys {

namespace {

policy::Held held_under(const policy::Catalogue& catalogue, const policy::KeyAnswer& answer) {
  if (answer.state != policy::KeyAnswer::State::valid) return {};
  return catalogue.expand(answer.principal.granted);
}

}  // namespace

std::chrono::milliseconds patience_with(const config::ResolutionSettings& settings) {
  constexpr std::chrono::milliseconds of_the_store{2'000}, slack{250};
  std::chrono::milliseconds all = settings.service ? settings.service->timeout : of_the_store;
  if (settings.redis) all += 2 * settings.redis->timeout;
  return all + slack;
}

std::shared_ptr<const Record> judge_under(const policy::Catalogue& catalogue, std::uint64_t generation,
                                          std::shared_ptr<const Record> record) {
  if (record->generation == generation) return record;
  auto judged = std::make_shared<Record>(*record);
  judged->held = held_under(catalogue, judged->answer);
  judged->generation = generation;
  return judged;
}

std::shared_ptr<const Record> Resolver::Impl::remember(const Flight& flight, Found found, std::string_view source) {
  auto record = std::make_shared<Record>();
  record->held = held_under(*catalogue, found.answer);
  record->answer = std::move(found.answer);
  record->generation = generation;
  record->asked_at = flight.asked_at - found.age;
  record->validated_at = flight.asked_at;
  record->is_unconfirmed = is_unconfirmed(flight);
  record->source = source;
  cache.put(flight.digest, record, parts.now());
  return record;
}

// A change was pushed, and the shared cache, which would have the tombstone, could not be read: whoever answered may
// not have heard of the change yet. So the answer is looked at again every few seconds, as if there were no push
// (F-27).
bool Resolver::Impl::is_unconfirmed(const Flight& flight) const {
  const auto oldest = parts.now() - bound;
  return parts.cache != nullptr && !flight.is_cache_readable &&
         changes.has_changed_since(flight.digest, oldest, oldest);
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
  ++impl_->counters.memory_misses;  // taken back where it is none
  if (!record) return nullptr;
  const Freshness freshness = freshness_of(*record, digest, impl_->lease, impl_->bound, now);
  if (freshness != Freshness::fresh && freshness != Freshness::due) return nullptr;
  --impl_->counters.memory_misses;
  ++impl_->counters.memory_hits;
  if (record->generation == impl_->generation) return record;
  record = judge_under(*impl_->catalogue, impl_->generation, std::move(record));
  impl_->cache.put(digest, record, now);
  return record;
}

void Resolver::renew_if_due(const KeyDigest& digest, SecretView secret, const Record& record, SteadyTime now,
                            const Asker& asker) {
  const bool is_due = now - record.asked_at >= renewal_age(digest, impl_->bound);
  const bool can_ask = !impl_->parts.sources.empty() && !impl_->is_closed;
  if (!is_due || !can_ask || impl_->flights.contains(digest)) return;
  impl_->start(impl_->begin(digest, secret, asker));
}

void Resolver::push_up() { impl_->lease.up(impl_->parts.now()); }

void Resolver::push_down() { impl_->lease.down(); }

Awaitable<Resolved> Resolver::look_up(KeyDigest digest, SecretView secret, SteadyTime deadline, Asker asker) {
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

void Resolver::forget_all() {
  impl_->cache.clear();
  for (const auto& [digest, flight] : impl_->flights) flight->is_outdated = true;
}

void Resolver::close() {
  impl_->is_closed = true;
  impl_->flights.clear();
}

const LookupCounters& Resolver::lookups() const { return impl_->counters; }

std::size_t Resolver::known_keys() const { return impl_->cache.known_size(); }

std::size_t Resolver::lookups_in_flight() const { return impl_->flights.size(); }

}  // namespace keygate::keys
