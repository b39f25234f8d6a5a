#include "keys/secrets.hpp"

#include "keys/characters.hpp"
#include "keys/redis_connection.hpp"
#include "keys/secret_file.hpp"

#include <openssl/crypto.h>

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

config::Parsed<std::string> read_upstream_token(const config::UpstreamSettings& upstream) {
  if (!upstream.authorization) return std::string();
  auto token = read_secret(*upstream.authorization);
  const auto* text = std::get_if<std::string>(&token);
  if (text == nullptr || is_all(CharacterClass::open, *text)) return token;
  return config::Fault{config::quoted(upstream.authorization->text) + " holds no token",
                       "letters, digits and -._~+/= will do"};
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
  if (const auto& tracing = settings.tracing; tracing.endpoint && tracing.endpoint->is_tls) {
    secrets.tracing_tls = taken(ClientTls::load(tracing.ca_file), tracing.where, "tracing.ca_file", problems);
  }
  if (settings.admin && settings.admin->token) {
    std::string token = read_optional(settings.admin->token, "admin.token_file", problems);
    secrets.admin_token = Hasher()(SecretView(token));
    OPENSSL_cleanse(token.data(), token.size());
  }
  for (const config::UpstreamSettings& upstream : settings.upstreams) {
    const auto& where = upstream.authorization ? upstream.authorization->where : upstream.where;
    secrets.upstream_tokens.push_back(
        taken(read_upstream_token(upstream), where, "upstreams." + upstream.name + ".authorization_file", problems));
  }
  return secrets;
}

Secrets stand_in_secrets(const config::Settings& settings) {
  Secrets secrets;
  secrets.admins = AdminSecrets::stand_ins(settings.credentials);
  for (const config::UpstreamSettings& upstream : settings.upstreams) {
    secrets.upstream_tokens.emplace_back(upstream.authorization ? "<what authorization_file holds>" : "");
  }
  return secrets;
}

}  // namespace keygate::keys
