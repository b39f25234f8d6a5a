#include "keys/resolver.hpp"

#include "keys/single_flight.hpp"

#include <algorithm>
#include <utility>

namespace keygate::keys {

namespace {

// A key that changes faster than a source answers is given up on: "could not find out", not an old answer.
constexpr unsigned max_repeats = 3;
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
  Impl(net::io_context& context, std::vector<Source*> in_order, const config::ResolutionSettings& settings)
      : io(context), sources(std::move(in_order)), bound(settings.staleness_bound), cache(settings.memory, bound) {}

  void join(const KeyDigest& digest, SecretView secret, Waiter& waiter);
  void ask(const std::shared_ptr<Flight>& flight);
  void hear(const std::shared_ptr<Flight>& flight, Result<Found> found);
  void ask_next(const std::shared_ptr<Flight>& flight, error_code failed);
  void ask_again(const std::shared_ptr<Flight>& flight);
  std::shared_ptr<const Record> remember(const Flight& flight, Found found);
  void land(const std::shared_ptr<Flight>& flight, const Resolved& outcome);

  net::io_context& io;
  const std::vector<Source*> sources;
  std::chrono::milliseconds bound;
  const policy::Catalogue no_catalogue;
  const policy::Catalogue* catalogue = &no_catalogue;
  std::uint64_t generation = 0;
  MemoryCache cache;
  boost::unordered_flat_map<KeyDigest, std::shared_ptr<Flight>, DigestHash> flights;
};

void Resolver::Impl::join(const KeyDigest& digest, SecretView secret, Waiter& waiter) {
  if (const auto found = flights.find(digest); found != flights.end()) return found->second->join(waiter);
  if (sources.empty()) return waiter.wake(make_error_code(errc::unavailable));
  const auto flight = std::make_shared<Flight>(digest, secret);
  flight->join(waiter);
  flights.emplace(digest, flight);
  ask(flight);
}

void Resolver::Impl::ask(const std::shared_ptr<Flight>& flight) {
  flight->is_outdated = false;
  flight->asked_at = std::chrono::steady_clock::now();
  // The flight lives in `flights` alone, so one that can be locked means that `this` is there too.
  Source::Done done = [this, asked = std::weak_ptr(flight)](Result<Found> found) {
    if (const auto waited_for = asked.lock()) hear(waited_for, std::move(found));
  };
  sources[flight->source]->look_up(flight->digest, flight->secret, std::move(done));
}

void Resolver::Impl::hear(const std::shared_ptr<Flight>& flight, Result<Found> found) {
  if (found.has_error()) return ask_next(flight, found.error());
  if (flight->is_outdated) return ask_again(flight);
  found->age = std::max(found->age, std::chrono::milliseconds{0});
  const auto age_now = std::chrono::steady_clock::now() - flight->asked_at + found->age;
  if (age_now >= bound || !is_usable(found->answer)) return ask_next(flight, make_error_code(errc::invalid_answer));
  land(flight, remember(*flight, std::move(*found)));
}

void Resolver::Impl::ask_next(const std::shared_ptr<Flight>& flight, error_code failed) {
  if (++flight->source < sources.size()) return ask(flight);
  land(flight, failed);
}

void Resolver::Impl::ask_again(const std::shared_ptr<Flight>& flight) {
  if (++flight->repeats > max_repeats) return land(flight, make_error_code(errc::unavailable));
  flight->source = 0;
  ask(flight);
}

// Where an answer is kept: in memory, and where sources that cache come to stand before the one that answered, in
// those.
std::shared_ptr<const Record> Resolver::Impl::remember(const Flight& flight, Found found) {
  auto record = std::make_shared<Record>();
  record->held = held_under(*catalogue, found.answer);
  record->answer = std::move(found.answer);
  record->generation = generation;
  record->asked_at = flight.asked_at - found.age;
  record->source = sources[flight.source]->name();
  cache.put(flight.digest, record, std::chrono::steady_clock::now());
  return record;
}

void Resolver::Impl::land(const std::shared_ptr<Flight>& flight, const Resolved& outcome) {
  flights.erase(flight->digest);
  flight->land(outcome);
}

Resolver::Resolver(net::io_context& io, std::vector<Source*> sources, const config::ResolutionSettings& settings)
    : impl_(std::make_unique<Impl>(io, std::move(sources), settings)) {}

Resolver::~Resolver() = default;

void Resolver::apply(const policy::Catalogue& catalogue, std::uint64_t generation,
                     const config::ResolutionSettings& settings) {
  impl_->catalogue = &catalogue;
  impl_->generation = generation;
  impl_->bound = settings.staleness_bound;
  impl_->cache.apply(settings.memory, settings.staleness_bound);
}

std::shared_ptr<const Record> Resolver::recall(const KeyDigest& digest, SteadyTime now) {
  auto record = impl_->cache.find(digest, now);
  if (!record || record->generation == impl_->generation) return record;
  record = judge_under(*impl_->catalogue, impl_->generation, std::move(record));
  impl_->cache.put(digest, record, now);
  return record;
}

Awaitable<Resolved> Resolver::look_up(KeyDigest digest, SecretView secret, SteadyTime deadline) {
  if (deadline <= std::chrono::steady_clock::now()) co_return make_error_code(errc::timed_out);
  Waiter waiter(impl_->io, deadline);
  impl_->join(digest, secret, waiter);
  // From here on the resolver may be gone: only the waiter is touched.
  co_return co_await waiter.wait();
}

void Resolver::invalidate(const KeyDigest& digest) {
  impl_->cache.forget(digest);
  if (const auto found = impl_->flights.find(digest); found != impl_->flights.end()) found->second->is_outdated = true;
}

std::size_t Resolver::known_keys() const { return impl_->cache.known_size(); }

std::size_t Resolver::lookups_in_flight() const { return impl_->flights.size(); }

}  // namespace keygate::keys
