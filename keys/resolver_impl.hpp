// The parts of a Resolver: what it knows (resolver.cpp), and how it finds out (resolver_lookup.cpp).
#pragma once

#include "keys/freshness.hpp"
#include "keys/pushed_changes.hpp"
#include "keys/resolver.hpp"
#include "keys/slow_lane.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

namespace keygate::keys {

// Over all that a look-up asks, each of which has its own limit within.
std::chrono::milliseconds patience_with(const config::ResolutionSettings& settings);

struct Resolver::Impl {
  Impl(net::io_context& context, Parts given, const config::ResolutionSettings& settings)
      : io(context),
        parts(std::move(given)),
        bound(settings.staleness_bound),
        stale_if_error(settings.stale_if_error),
        patience(patience_with(settings)),
        cache(settings.memory, bound + stale_if_error) {
    if (parts.expects_push) lease.expect_push();
    for (const Source* const source : parts.sources) counters.sources.push_back({source->name(), {}});
  }

  void join(const KeyDigest& digest, SecretView secret, const Asker& asker, Waiter& waiter);
  bool is_usable(const Flight& flight, const policy::KeyAnswer& answer) const;
  std::shared_ptr<Flight> begin(const KeyDigest& digest, SecretView secret, const Asker& asker);
  void start(const std::shared_ptr<Flight>& flight);
  void hear_cache(const std::shared_ptr<Flight>& flight, Result<Cached> cached);
  void validate(const std::shared_ptr<Flight>& flight, Found found);
  void learn_time(const std::shared_ptr<Flight>& flight);
  void ask(const std::shared_ptr<Flight>& flight);
  bool is_held_up(const std::shared_ptr<Flight>& flight);
  void pass_on_turn(const AskerAddress& asker);
  void hear(const std::shared_ptr<Flight>& flight, Result<Found> found);
  void share(const Flight& flight, const Found& found, std::chrono::milliseconds age_now);
  void ask_next(const std::shared_ptr<Flight>& flight, error_code failed);
  void ask_again(const std::shared_ptr<Flight>& flight);
  std::shared_ptr<const Record> remember(const Flight& flight, Found found, std::string_view source);
  bool is_unconfirmed(const Flight& flight) const;
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
  LookupCounters counters;
  SlowLane slow_lane;
  boost::unordered_flat_map<KeyDigest, std::shared_ptr<Flight>, DigestHash> flights;
};

}  // namespace keygate::keys
