// Several real proxies that share a real Redis and a real key server, with a relay before each of the two, in front of
// an upstream that says whom it was told it serves. The key server itself reaches Redis without a relay.
#pragma once

#include "tests/support/key_server.hpp"
#include "tests/support/keygate.hpp"
#include "tests/support/recording_upstream.hpp"
#include "tests/support/redis.hpp"
#include "tests/support/relay.hpp"

#include <memory>
#include <string>
#include <vector>

namespace keygate::test {

struct FleetOptions {
  RedisOptions redis{};
  std::string staleness_bound = "60s";
  std::string service_timeout = "2s";
  std::string redis_timeout{};  // empty: the default
  std::string policy{standard_policy};
  std::string more{};                      // members of the proxies' `resolution`, flow style
  std::vector<unsigned> threads{1, 1, 2};  // an entry a proxy
};

class Fleet {
 public:
  explicit Fleet(const FleetOptions& options = {});

  const Keygate& proxy(std::size_t number) const { return *proxies_.at(number); }
  const std::vector<std::unique_ptr<Keygate>>& proxies() const { return proxies_; }
  void stop(std::size_t number) { proxies_.at(number)->stop(); }
  std::vector<Key> make_keys(std::size_t count) const;
  // Redis' name for what it knows of the key.
  std::string redis_key(const Key& key) const;
  // What everybody takes for Redis' password the next time they read it.
  void write_redis_password(const std::string& password) const { directory_.write("redis.password", password + "\n"); }

 private:
  std::string redis_settings(const RedisOptions& options, std::uint16_t port, const std::string& timeout = "") const;
  std::string key_server_settings(const FleetOptions& options) const;
  std::string proxy_settings(const FleetOptions& options) const;

  TempDir directory_;

 public:
  Redis redis;
  Relay redis_relay{redis.port()};
  KeyServer service;
  Relay service_relay{service.port()};
  RecordingUpstream upstream;

 private:
  std::vector<std::unique_ptr<Keygate>> proxies_;
};

// "ORGANIZATION KEY_ID", which is what the upstream of a fleet answers with; ", degraded" behind it where it was told
// so.
void answer_with_identity(Turn& turn);
std::string identity_of(const Key& key, const std::string& organization = "org_1");

// GET /v1/x with the key.
std::string request_with(const Key& key, std::string_view target = "/v1/x");
// Status and code: "200 ok", "401 revoked_key".
std::string outcome_of(const Response& response);
std::string outcome_at(const Keygate& proxy, const Key& key, std::string_view target = "/v1/x");

}  // namespace keygate::test
