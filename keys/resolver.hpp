// Whose key is this: memory first, then the sources in order, with one look-up at a time per digest
// (docs/life-of-a-request.md). One a worker; used by proxy's exchange on the worker's thread only.
#pragma once

#include "config/settings.hpp"
#include "keys/asio.hpp"
#include "keys/lookup_counters.hpp"
#include "keys/memory_cache.hpp"
#include "keys/shared_cache.hpp"
#include "keys/source.hpp"
#include "keys/unknown_key_budget.hpp"
#include "policy/scopes.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace keygate::keys {

// `record` with its grants judged under `catalogue`, the one of snapshot `generation`; the same record where it already
// is. For an exchange that holds an older snapshot than look_up's answer was judged under: bit sets of two catalogues
// do not compare.
std::shared_ptr<const Record> judge_under(const policy::Catalogue& catalogue, std::uint64_t generation,
                                          std::shared_ptr<const Record> record);

// Who presents a credential, as far as that matters to a look-up.
struct Asker {
  std::optional<AskerAddress> address{};                               // none: it counts against no budget
  policy::Environment prefix_environment = policy::Environment::none;  // what the credential's format says
};

// Goes before its io_context and its sources: whoever still waits then gets errc::unavailable from the io_context, and
// an answer that comes later finds nobody.
class Resolver {
 public:
  struct Parts {
    SharedCache* cache = nullptr;  // asked first, where there is one
    std::vector<Source*> sources;  // then these, in order, until one answers
    std::function<SteadyTime()> now = std::chrono::steady_clock::now;
    UnknownKeyBudget* budget = nullptr;  // of what look_up's `asker` may cause, where there is one
    bool (*is_presentable)(const policy::Principal&) = policy::is_presentable;  // else the answer is none
    bool expects_push = false;  // revocations are pushed: push_up and push_down tell whether they can be just now
  };

  // All of `parts`, and `io`, outlive the resolver.
  Resolver(net::io_context& io, Parts parts, const config::ResolutionSettings& settings);
  ~Resolver();

  // A new snapshot: its catalogue (kept alive by the caller until the next call), number and limits. Records made under
  // another catalogue are judged anew when next used.
  void apply(const policy::Catalogue& catalogue, std::uint64_t generation, const config::ResolutionSettings& settings);

  // From memory only; null: not there, or to be looked up anew before it is used. Allocates nothing unless the
  // catalogue has changed since.
  std::shared_ptr<const Record> recall(const KeyDigest& digest, SteadyTime now);

  // What recall gave may be in the last tenth of its life: then it is looked up anew while it serves, so that nobody
  // waits for a source, least of all for one that stands still (F-21).
  void renew_if_due(const KeyDigest& digest, SecretView secret, const Record& record, SteadyTime now,
                    const Asker& asker = {});

  // From the shared cache or the sources. All who ask for one digest meanwhile share one look-up, each with its own
  // deadline: errc::timed_out past it. A caller that goes away (its coroutine is destroyed or cancelled) fails nobody
  // else. Where nobody can be asked, what memory holds serves up to the bound, and `stale_if_error` beyond it with
  // is_stale set. Errors are never remembered. While `asker`'s budget is spent, keys of its that memory and the shared
  // cache do not know are looked up a few at a time, and errc::over_budget past that. Who says of a key what its format
  // contradicts is not believed: errc::invalid_answer.
  Awaitable<Result<std::shared_ptr<const Record>>> look_up(KeyDigest digest, SecretView secret, SteadyTime deadline,
                                                           Asker asker = {});

  // How long a look-up may take, all that it asks for included: a deadline for look_up.
  std::chrono::milliseconds patience() const;

  // Whether `digest` was invalidated at `since` or later. True too where that has been forgotten.
  bool has_changed_since(const KeyDigest& digest, SteadyTime since) const;

  // Forgets `digest` now: it was revoked or changed. A look-up already under way was asked before that: its answer is
  // thrown away and the source asked again (C-06).
  void invalidate(const KeyDigest& digest);

  // Forgets all that is in memory; whoever is being served is not disturbed.
  void forget_all();

  // Revocations reach this worker from now on, or no longer.
  void push_up();
  void push_down();

  // Asks nobody any more: whoever waits, or comes yet, hears errc::unavailable. What `parts` names may go then.
  void close();

  std::size_t known_keys() const;
  const LookupCounters& lookups() const;
  std::size_t lookups_in_flight() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // this one's alone: a look-up under way sees by it whether it is there still
};

}  // namespace keygate::keys
