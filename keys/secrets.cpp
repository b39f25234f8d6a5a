#include "keys/secrets.hpp"

#include "keys/characters.hpp"
#include "keys/redis_connection.hpp"
#include "keys/secret_file.hpp"

#include <optional>
#include <utility>

namespace keygate::keys {
namespace {

template <class T>
T taken(config::Parsed<T> parsed, const config::Position& where, const std::string& path, config::Problems& problems) {
  if (auto* fault = std::get_if<config::Fault>(&parsed)) {
    problems.push_back({config::Severity::error, where, path, fault->message, fault->hint});
    return {};
  }
  return std::move(std::get<T>(parsed));
}

std::string read_optional(const std::optional<config::SecretSettings>& secret, const std::string& path,
                          config::Problems& problems) {
  return secret ? taken(read_secret(*secret), secret->where, path, problems) : std::string();
}

// One that can stand in a header.
std::string read_token(const config::UpstreamSettings& upstream, config::Problems& problems) {
  const std::string path = "upstreams." + upstream.name + ".authorization_file";
  std::string token = read_optional(upstream.authorization, path, problems);
  if (!token.empty() && !is_all(CharacterClass::open, token)) {
    problems.push_back({config::Severity::error, upstream.authorization->where, path, "what the file holds is no token",
                        "letters, digits and -._~+/= will do"});
    return {};
  }
  return token;
}

}  // namespace

Secrets read_secrets(const config::Settings& settings, config::Problems& problems) {
  Secrets secrets;
  const auto& admins = settings.credentials.admin_secrets;
  if (!admins.empty()) {
    secrets.admins =
        taken(AdminSecrets::read(settings.credentials), admins.front().where, "credentials.admin_secrets", problems);
  }
  if (const auto& redis = settings.resolution.redis) {
    if (const std::string flaw = redis_tls_flaw(*redis); !flaw.empty()) {
      problems.push_back({config::Severity::error, redis->where, "resolution.redis", flaw, ""});
    }
    secrets.redis_password = read_optional(redis->password, "resolution.redis", problems);
    if (!redis->signing_key_file.empty()) {
      secrets.signing_keys = taken(read_signing_keys(redis->signing_key_file), redis->where,
                                   "resolution.redis.signing_key_file", problems);
    }
  }
  if (const auto& service = settings.resolution.service) {
    secrets.service = taken(read_service_access(*service), service->where, "resolution.service", problems);
  }
  for (const config::UpstreamSettings& upstream : settings.upstreams) {
    secrets.upstream_tokens.push_back(read_token(upstream, problems));
  }
  return secrets;
}

}  // namespace keygate::keys
