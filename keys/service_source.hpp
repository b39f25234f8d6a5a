// A key service as a source: asked over HTTP in its dialect, spared while it is down (docs/key-service.md).
// One for keys and one for sessions a worker, made by app, used by the resolver on the worker's thread.
#pragma once

#include "keys/dialect.hpp"
#include "keys/http_client.hpp"
#include "keys/service_access.hpp"
#include "keys/service_health.hpp"
#include "keys/source.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::keys {

struct ServiceCounters {
  std::uint64_t asked = 0;        // look-ups that were to be asked
  std::uint64_t answered = 0;     // yes or no
  std::uint64_t unavailable = 0;  // refused, broken off, 5xx, 429
  std::uint64_t timed_out = 0;
  std::uint64_t invalid = 0;     // answers that cannot be used
  std::uint64_t overloaded = 0;  // too many were waiting
  std::uint64_t spared = 0;      // not asked, as the service is down
};

class ServiceSource final : public Source {
 public:
  // A source for sessions needs settings.session_url.
  ServiceSource(net::io_context& io, std::shared_ptr<const ServiceAccess> access, CredentialRole role,
                HttpLimits limits);
  ~ServiceSource() override;  // look-ups that wait are dropped
  ServiceSource(const ServiceSource&) = delete;
  ServiceSource& operator=(const ServiceSource&) = delete;

  std::string_view name() const override { return "service"; }

  // unavailable where the service is down, refuses, breaks off, or answers 5xx or 429; timed_out past the settings'
  // timeout; invalid_answer for what docs/key-service.md does not let pass; overloaded past the limits.
  void look_up(const KeyDigest& digest, std::shared_ptr<const Secret> secret, Done done) override;

  // A reload. Look-ups under way end as they began; connections are made anew.
  void apply(std::shared_ptr<const ServiceAccess> access);

  bool is_down() const { return health_.is_down(); }
  bool is_trying() const { return health_.is_trying(); }
  const ServiceCounters& counters() const { return counters_; }
  const HttpClient& client() const { return *client_; }

 private:
  struct Asked;
  struct Waiting;  // for the service's recovery to have room

  void set_up(std::shared_ptr<const ServiceAccess> access);
  void post(Result<Found> found, Done done);
  void ask(ServiceHealth::Permit permit, std::shared_ptr<const Secret> secret, std::chrono::milliseconds limit,
           Done done);
  void let_in();
  Result<Found> read(const Asked& asked, HttpAnswer& answer);
  Result<Found> count(Result<Found> found);
  void note(ServiceHealth::Permit permit, const HttpAnswer& answer);

  net::io_context& io_;
  const CredentialRole role_;
  const HttpLimits limits_;
  std::shared_ptr<const ServiceAccess> access_;
  const config::ServiceUrl* url_ = nullptr;  // in access_
  std::shared_ptr<const Mapping> mapping_;
  ServiceHealth health_;
  ServiceCounters counters_;
  std::minstd_rand random_;
  std::shared_ptr<HttpClient> client_;
  std::deque<Waiting> waiting_;
  std::vector<std::shared_ptr<HttpClient>> retired_;  // of earlier configurations, with look-ups under way
  std::shared_ptr<const bool> life_ = std::make_shared<const bool>(true);
};

}  // namespace keygate::keys
