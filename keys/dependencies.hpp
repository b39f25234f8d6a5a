// Whom does a worker ask, and who tells it of changes: the embedded store, or Redis and a key service. One a worker,
// built from the configuration; used on the worker's thread only.
#pragma once

#include "config/settings.hpp"
#include "keys/rate_limiter.hpp"
#include "keys/resolver.hpp"
#include "keys/secrets.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace keygate::keys {

class StoreThread;

class Dependencies {
 public:
  struct Place {
    net::io_context& io;
    StoreThread* store = nullptr;  // where settings.store says so; outlives this
    std::size_t workers = 1;       // among whom limits of the process are shared
    LimitTable* limits = nullptr;  // of the process, outlives this; null: one of its own
  };

  // Who hears of pushed changes.
  struct Listener {
    std::function<void(const KeyDigest&)> on_change;
    std::function<void()> on_up;
    std::function<void()> on_down;
  };

  Dependencies(const Place& place, const config::ResolutionSettings& settings, const Secrets& secrets);
  ~Dependencies();

  // What resolvers of API keys and of sessions are made with; both go before this does. Of sessions: no source where
  // nobody knows them.
  Resolver::Parts for_keys() const;
  Resolver::Parts for_sessions() const;

  // Until close().
  RateLimiter& limiter();

  DependencyFigures figures() const;

  // From now on changes are told to `listener`.
  void listen(Listener listener);

  // How many connections to a key service a worker may have: for keys, and as many for sessions.
  static std::size_t service_connections(std::size_t workers);

  // Whether anybody wants to know of uses; then of this one. `scopes`: one blank between two.
  bool takes_uses() const;
  void note_use(const KeyDigest& digest, std::int64_t unix_seconds, std::string_view scopes);
  // Before the process ends: what was noted is told now.
  void tell_uses();

  // Ends all connections, so that nothing of this keeps `io` running; resolvers are closed before.
  void close();

  // New passwords, tokens, signing keys and timeouts; addresses stay.
  void apply(const config::ResolutionSettings& settings, const Secrets& secrets);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keygate::keys
