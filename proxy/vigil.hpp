// May who is being served still be? Watches the credential of an exchange that lasts: a stream, a long body, a tunnel.
// Begun by exchange where it forwards for a key or a session; told of ticks and changes by the client.
#pragma once

#include "keys/digest.hpp"
#include "keys/memory_cache.hpp"
#include "keys/secret.hpp"
#include "policy/decide.hpp"
#include "proxy/sockets.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace keygate::proxy {

class Client;
struct Snapshot;

class Vigil {
 public:
  // What was decided on. All of it stays until end().
  struct Watched {
    const Snapshot& snapshot;
    const policy::Route* route;
    const policy::RequestTarget& target;
    const policy::Caller& caller;
    const keys::Record& record;
    const keys::KeyDigest& digest;
    keys::SecretView secret;
  };

  explicit Vigil(Client& client) : client_(client) {}
  ~Vigil() { end(); }
  Vigil(const Vigil&) = delete;
  Vigil& operator=(const Vigil&) = delete;

  void begin(const Watched& watched);
  void end();

  // Each tick: expiry ends the exchange at once; whoever is served longer than the staleness bound is looked up again.
  void on_tick();
  // Looks again at once where `digest` is the one.
  void on_change(const keys::KeyDigest& digest);
  // What a look-up has come to. A denial ends the exchange; "could not find out" does one bound later.
  void hear(const Result<std::shared_ptr<const keys::Record>>& found);

 private:
  void look_again();
  void condemn(policy::Reason why);
  std::chrono::milliseconds bound() const;

  Client& client_;
  std::optional<Watched> watched_;
  std::shared_ptr<Vigil*> self_;  // what a look-up under way holds; null in it: nobody is interested any more
  SteadyClock::time_point due_{};
  std::optional<SteadyClock::time_point> in_doubt_since_;
  std::optional<std::int64_t> expires_at_;
  std::optional<policy::Reason> condemned_;  // to be cut at due_, unless it is over by then
  bool is_looking_ = false;
  bool has_changed_ = false;  // while a look-up was under way
};

}  // namespace keygate::proxy
