// How credentials are found and resolved, as part of the effective configuration.
#include "app/settings_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace keygate::app {

namespace json = boost::json;

namespace {

using Source = config::CredentialSource::Kind;

json::array words(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& one : list) out.emplace_back(one);
  return out;
}

void put_environment(json::object& out, config::Environment environment) {
  if (environment != config::Environment::none) {
    out["environment"] = environment == config::Environment::live ? "live" : "test";
  }
}

json::value source_json(const config::CredentialSource& source) {
  switch (source.kind) {
    case Source::bearer:
      return "bearer";
    case Source::header:
      return json::object{{"header", source.name}};
    case Source::query:
      return json::object{{"query", source.name}};
    case Source::cookie:
      return json::object{{"cookie", source.name}};
  }
  return nullptr;
}

const char* word_of(config::ServiceDialect dialect) {
  switch (dialect) {
    case config::ServiceDialect::native:
      return "native";
    case config::ServiceDialect::rfc7662:
      return "rfc7662";
    case config::ServiceDialect::unkey:
      return "unkey";
    case config::ServiceDialect::better_auth:
      return "better-auth";
    case config::ServiceDialect::custom:
      return "custom";
  }
  return "";
}

std::string in_brackets(const std::string& host) {
  return host.find(':') == std::string::npos ? host : '[' + host + ']';
}

// Without its password.
std::string url_text(const config::RedisAddress& address) {
  if (address.host.empty()) {
    return "unix://" + address.socket + (address.database == 0 ? "" : "?db=" + std::to_string(address.database));
  }
  const std::string user = address.username.empty() && address.password.empty()
                               ? ""
                               : address.username + (address.password.empty() ? "" : ":***") + "@";
  return (address.is_tls ? "rediss://" : "redis://") + user + in_brackets(address.host) + ':' +
         std::to_string(address.port) + '/' + std::to_string(address.database);
}

// Without its query, in which a token may stand.
std::string url_text(const config::ServiceUrl& url) {
  const std::size_t query = url.target.find('?');
  return (url.is_tls ? "https://" : "http://") + url.authority + url.target.substr(0, query) +
         (query == std::string::npos ? "" : "?***");
}

json::object redis_json(const config::RedisSettings& redis) {
  json::object out{{"url", url_text(redis.address)}};
  if (redis.username != redis.address.username) put_text(out, "username", redis.username);
  if (redis.address.password.empty()) put_secret(out, "password", redis.password);
  put_text(out, "ca_file", redis.ca_file);
  out["timeout"] = duration_text(redis.timeout);
  out["namespace"] = redis.name_space;
  put_text(out, "signing_key_file", redis.signing_key_file);
  return out;
}

json::value pointer_json(const std::string& pointer) {
  return pointer.empty() ? json::value(nullptr) : json::value(pointer);
}

json::object mapping_json(const config::ServiceMapping& mapping) {
  return {{"request", mapping.form == config::ServiceMapping::Form::json ? "json" : "form"},
          {"request_field", mapping.request_field},
          {"valid", mapping.valid},
          {"code", pointer_json(mapping.code)},
          {"key_id", mapping.key_id},
          {"organization", pointer_json(mapping.organization)},
          {"user", pointer_json(mapping.user)},
          {"scopes", pointer_json(mapping.scopes)},
          {"environment", pointer_json(mapping.environment)},
          {"expires_at", pointer_json(mapping.expires_at)}};
}

json::object service_json(const config::ServiceSettings& service) {
  json::object out{{"url", url_text(service.url)}, {"dialect", word_of(service.dialect)}};
  if (service.mapping) out["mapping"] = mapping_json(*service.mapping);
  if (service.session_url) out["session_url"] = url_text(*service.session_url);
  if (service.usage_url) out["usage_url"] = url_text(*service.usage_url);
  if (!service.session_scopes.empty()) out["session_scopes"] = words(service.session_scopes);
  put_secret(out, "token", service.token);
  put_text(out, "ca_file", service.ca_file);
  out["timeout"] = duration_text(service.timeout);
  return out;
}

}  // namespace

json::object credentials_json(const config::CredentialSettings& credentials) {
  json::array sources, formats, admins;
  for (const auto& source : credentials.sources) sources.push_back(source_json(source));
  for (const auto& format : credentials.formats) {
    json::object one{{"prefix", format.prefix}};
    put_environment(one, format.environment);
    if (format.length != 0) one["length"] = format.length;
    one["checksum"] = format.crc32_checksum ? "crc32" : "none";
    formats.push_back(std::move(one));
  }
  for (const auto& admin : credentials.admin_secrets) {
    json::object one{{"name", admin.name}};
    put_secret(one, "secret", admin.secret);
    one["scopes"] = words(admin.scopes);
    put_environment(one, admin.environment);
    admins.push_back(std::move(one));
  }
  json::object out{{"sources", std::move(sources)}};
  if (!formats.empty()) out["formats"] = std::move(formats);
  if (!admins.empty()) out["admin_secrets"] = std::move(admins);
  out["forward"] = credentials.forward;
  return out;
}

json::object resolution_json(const config::ResolutionSettings& resolution) {
  json::object out{{"staleness_bound", duration_text(resolution.staleness_bound)},
                   {"stale_if_error", duration_text(resolution.stale_if_error)}};
  out["memory"] = json::object{{"max_keys", resolution.memory.max_keys},
                               {"max_unknown_keys", resolution.memory.max_unknown_keys},
                               {"unknown_ttl", duration_text(resolution.memory.unknown_ttl)}};
  out["unknown_key_budget"] = json::object{{"per_ip", std::to_string(resolution.unknown_key_budget.per_address) + "/s"},
                                           {"total", std::to_string(resolution.unknown_key_budget.total) + "/s"}};
  if (resolution.redis) out["redis"] = redis_json(*resolution.redis);
  if (resolution.service) out["service"] = service_json(*resolution.service);
  if (resolution.store) out["store"] = json::object{{"path", resolution.store->path}};
  return out;
}

}  // namespace keygate::app
