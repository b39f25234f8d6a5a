// Tells a key service which keys were used, when, and for what scopes: gathered, sent in batches, never waited for
// (docs/key-service.md#usage). What cannot be told is kept and tried again; more keys than NotedUses holds are let go.
// One a worker, on its thread only.
#pragma once

#include "keys/backoff.hpp"
#include "keys/http_client.hpp"
#include "keys/noted_uses.hpp"
#include "keys/service_access.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string_view>
#include <vector>

namespace keygate::keys {

struct UsageCounters {
  std::uint64_t reported = 0;  // uses that the service took
  std::uint64_t failed = 0;    // requests that it did not
};

class UsageReport {
 public:
  // `access` has a usage_url.
  UsageReport(net::io_context& io, std::shared_ptr<const ServiceAccess> access);
  ~UsageReport();  // what is not told yet is lost
  UsageReport(const UsageReport&) = delete;
  UsageReport& operator=(const UsageReport&) = delete;

  // `scopes`: one blank between two. Told within some five seconds.
  void note(const KeyDigest& digest, std::int64_t unix_seconds, std::string_view scopes);

  // Tells what there is without waiting for the five seconds: the process is about to end.
  void send_now();

  // A reload.
  void apply(std::shared_ptr<const ServiceAccess> access);

  const UsageCounters& counters() const { return counters_; }

 private:
  using Clock = std::chrono::steady_clock;

  void send_in(std::chrono::milliseconds wait);
  void send();
  void hear(std::vector<KeyUse> told, const HttpAnswer& answer);

  net::io_context& io_;
  std::shared_ptr<const ServiceAccess> access_;
  std::unique_ptr<HttpClient> client_;
  NotedUses uses_;
  std::vector<KeyUse> rest_;  // taken, and not yet sent
  Backoff backoff_;
  std::minstd_rand random_;
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> timer_;
  UsageCounters counters_;
  bool is_waiting_ = false, is_sending_ = false;
  bool is_refused_ = false;  // the service takes no reports: not asked again until a reload
};

}  // namespace keygate::keys
