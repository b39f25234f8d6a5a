#include "tests/support/fleet.hpp"

#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace keygate::test {

void answer_with_identity(Turn& turn) {
  turn.read_body();
  const Fields& fields = turn.request().fields;
  turn.answer(200,
              fields["x-org-id"] + " " + fields["x-key-id"] + (fields.has("x-keygate-degraded") ? ", degraded" : ""));
}

std::string identity_of(const Key& key, const std::string& organization) { return organization + " " + key.id; }

std::string request_with(const Key& key, std::string_view target) { return request_to(target, key.bearer()); }

std::string outcome_of(const Response& response) {
  std::string code = "ok";
  if (response.fields["content-type"] == "application/problem+json") {
    code = text_of(boost::json::parse(response.body).as_object(), "code");
  }
  return std::to_string(response.status) + " " + code;
}

std::string outcome_at(const Keygate& proxy, const Key& key, std::string_view target) {
  return outcome_of(ask(proxy.port(), request_with(key, target)));
}

Fleet::Fleet(const FleetOptions& options)
    : redis(options.redis), service(key_server_settings(options)), upstream(answer_with_identity) {
  for (const unsigned threads : options.threads) {
    Config config;
    config.policy = options.policy;
    config.upstream_port = upstream.port();
    config.threads = threads;
    config.resolution = proxy_settings(options);
    proxies_.push_back(std::make_unique<Keygate>());
    proxies_.back()->start(std::move(config));
  }
}

std::string Fleet::redis_settings(const RedisOptions& options, std::uint16_t port, const std::string& timeout) const {
  const std::string scheme = options.has_tls ? "rediss://localhost:" : "redis://127.0.0.1:";
  std::string text =
      "{url: \"" + scheme + std::to_string(port) + "\", signing_key_file: " + (directory_ / "signing.key");
  if (options.has_tls) text += ", ca_file: " + redis.ca_file();
  if (!options.username.empty()) text += ", username: " + options.username;
  if (!options.password.empty()) text += ", password_file: " + (directory_ / "redis.password");
  if (!timeout.empty()) text += ", timeout: " + timeout;
  return text + "}";
}

// The first to need the files.
std::string Fleet::key_server_settings(const FleetOptions& options) const {
  write_redis_password(options.redis.password);
  directory_.write("signing.key", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n");
  return "redis: " + redis_settings(options.redis, redis.port()) + ", staleness_bound: " + options.staleness_bound;
}

std::string Fleet::proxy_settings(const FleetOptions& options) const {
  return "{staleness_bound: " + options.staleness_bound +
         ", redis: " + redis_settings(options.redis, redis_relay.port(), options.redis_timeout) +
         ", service: {url: \"http://127.0.0.1:" + std::to_string(service_relay.port()) +
         "/v1/keys/verify\", timeout: " + options.service_timeout + ", token_file: " + service.token_file() + "}" +
         (options.more.empty() ? "" : ", ") + options.more + "}";
}

std::vector<Key> Fleet::make_keys(std::size_t count) const {
  std::vector<Key> keys;
  for (std::size_t i = 0; i < count; ++i) keys.push_back(service.create());
  return keys;
}

std::string Fleet::redis_key(const Key& key) const {
  return "keygate:v1:key:" + sha256_of_file(directory_.write("a key", key.text));
}

}  // namespace keygate::test
