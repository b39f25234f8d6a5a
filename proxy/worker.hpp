// Everything one thread owns: an io_context, the caches, pools and clients of its share of the traffic. Nothing in it
// is touched by another thread; others post to `io`. Made and run by app/server.
#pragma once

#include "keys/dependencies.hpp"
#include "keys/digest.hpp"
#include "keys/resolver.hpp"
#include "proxy/buffers.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/key_uses.hpp"
#include "proxy/parking.hpp"
#include "proxy/resident.hpp"
#include "proxy/snapshot.hpp"
#include "proxy/sockets.hpp"
#include "proxy/tallies.hpp"
#include "proxy/trace_sampler.hpp"
#include "proxy/upstream.hpp"
#include "proxy/worker_figures.hpp"
#include "telemetry/access_log.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace keygate::keys {
class StoreThread;
}

namespace keygate::telemetry {
class TraceQueue;
}

namespace keygate::proxy {

class AddressSeats;

// A snapshot with this worker's upstreams for it. Exchanges keep the one they began with.
struct Generation {
  std::shared_ptr<const Snapshot> snapshot;
  std::vector<std::shared_ptr<Upstream>> upstreams;  // by index in Settings::upstreams
  std::shared_ptr<RouteTallies> tallies;
};

// Told of each exchange when it has ended, with the configuration it was judged by; on a worker's thread.
using Onlooker = std::function<void(const telemetry::Outcome&, const Snapshot&)>;

struct ExchangeRoom;  // the memory an exchange needs while it runs; see exchange.hpp

class Worker {
 public:
  struct Parts {
    std::shared_ptr<const Snapshot> snapshot;
    telemetry::AccessLog* access_log = nullptr;
    telemetry::AccessFormat access_format = telemetry::AccessFormat::json;
    keys::StoreThread* store = nullptr;  // asked, and told of uses; null where the settings name none
    std::size_t workers = 1, index = 0;  // of the process, and which of them this is
    std::size_t max_clients = 10'000;
    AddressSeats* seats = nullptr;            // of the process; null: no address has a limit
    keys::LimitTable* limits = nullptr;       // of the process; null: this worker counts by itself
    bool keeps_recent = false;                // recent() is asked for
    telemetry::TraceQueue* traces = nullptr;  // of the process; null: spans go nowhere
    Onlooker onlooker{};                      // `keygate dev`; exchanges then say what would have to change
  };
  explicit Worker(Parts parts);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // All below: on the worker's thread only.
  void apply(std::shared_ptr<const Snapshot> snapshot);
  void drain();       // every answer says "Connection: close" from now on
  void close_idle();  // idle clients and upstream connections are closed
  void stop();        // no more ticks: io ends when the last coroutine has
  void abort_all();   // every client is closed in the middle of whatever it does
  void arm(Deadline& deadline, std::chrono::milliseconds after);
  void report(const telemetry::Outcome& outcome, const Generation& generation);
  WorkerFigures figures() const;
  Recent recent(std::uint64_t seen) const;  // what has ended since `seen` had, as far as it is still known
  std::string_view next_request_id();       // 32 hex digits; valid until the next call
  std::unique_ptr<ExchangeRoom> take_room();
  void give_back(std::unique_ptr<ExchangeRoom> room);
  bool is_draining() const { return is_draining_; }
  bool has_onlooker() const { return onlooker_ != nullptr; }
  const std::shared_ptr<const Generation>& current() const { return current_; }
  // Before io, so that frames which io still holds when it goes find them alive.
  DeadlineWheel deadlines;
  BufferPool buffers;
  keys::Hasher hasher;
  ResidentList residents;
  net::io_context io{1};
  std::size_t client_count = 0;
  ParkingLot parking{*this};                           // of clients, too
  std::size_t refusal_count = 0, lingering_count = 0;  // of these clients: being turned away, being waited out
  const std::size_t max_clients;
  AddressSeats* const seats;
  telemetry::TraceQueue* const traces;
  TraceSampler sampler;
  std::mt19937_64 dice;  // the sampler's: request ids are seen by everybody, and must not tell what will be recorded

  // Of API keys, and of sessions: one can never pass for the other.
  keys::Resolver& resolver(policy::CredentialKind kind) {
    return kind == policy::CredentialKind::session ? *session_resolver_ : *resolver_;
  }
  keys::RateLimiter& limiter() { return dependencies_->limiter(); }
  // It was revoked or has changed: what is known of it is forgotten, and whoever is being served is looked at again.
  void invalidate(const keys::KeyDigest& digest);
  void forget_keys();  // all that is in memory
  // A key was granted something now, for which `scopes` (of the route) were required: handed to who keeps the keys once
  // a tick, off the request path. The text is told from others by its place.
  void note_use(const keys::KeyDigest& digest, std::int64_t unix_seconds, const std::string& scopes);

 private:
  std::shared_ptr<Upstream> find_unchanged(const config::UpstreamSettings& wanted, const UpstreamTls* tls) const;
  void ensure_ticking();
  void wait_for_tick();
  void advance_deadlines();
  void on_tick();
  void flush_log();
  void flush_uses();
  void leave();

  std::shared_ptr<const Generation> current_;
  std::unique_ptr<keys::Dependencies> dependencies_;
  std::unique_ptr<keys::Resolver> resolver_, session_resolver_;
  SystemNames names_{io};
  const Upstream::Home home_;
  telemetry::AccessLog* access_log_;
  telemetry::AccessFormat access_format_;
  const Onlooker onlooker_;
  KeyUses uses_;
  Tallies tallies_;
  std::vector<std::string> recent_;  // the last lines, one after the other round and round; empty: not kept
  std::string log_lines_;
  std::uint64_t recent_count_ = 0, log_count_ = 0;
  SteadyTimer ticker_;
  SteadyClock::time_point last_tick_{};
  SteadyClock::duration stalled_{0};  // time in which the loop stood still, over all
  bool is_ticking_ = false, is_stopped_ = false, is_draining_ = false;
  unsigned quiet_ticks_ = 0;
  std::vector<std::unique_ptr<ExchangeRoom>> rooms_;
  std::array<std::uint64_t, 2> id_state_;
  std::array<char, 32> id_text_;
};

}  // namespace keygate::proxy
