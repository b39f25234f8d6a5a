// The effective configuration as JSON, for whoever looks at a running proxy: every default as it counts, no secret.
#include "app/admin_api.hpp"

#include <boost/json/value.hpp>

namespace keygate::app {

namespace json = boost::json;

namespace {

std::string duration_text(std::chrono::milliseconds time) {
  const auto ms = time.count();
  if (ms % 1000 != 0) return std::to_string(ms) + "ms";
  if (ms != 0 && ms % 60'000 == 0) return std::to_string(ms / 60'000) + "m";
  return std::to_string(ms / 1000) + "s";
}

json::value size_json(std::uint64_t size) {
  return size == config::unlimited ? json::value("unlimited") : json::value(size);
}

// Where a secret is; never what it is.
json::value secret_json(const std::optional<config::SecretSettings>& secret) {
  if (!secret) return nullptr;
  switch (secret->kind) {
    case config::SecretSettings::Kind::file:
      return json::object{{"file", secret->text}};
    case config::SecretSettings::Kind::environment:
      return json::object{{"environment", secret->text}};
    case config::SecretSettings::Kind::literal:
      return "***";
  }
  return "***";
}

json::value text_or_null(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); }

json::array words(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& one : list) out.emplace_back(one);
  return out;
}

json::object listener_json(const config::ListenerSettings& listener) {
  json::object out{{"address", config::name_of(listener)}, {"proxy_protocol", listener.proxy_protocol}};
  if (listener.tls) {
    out["tls"] = json::object{{"certificate_file", listener.tls->certificate_file},
                              {"private_key_file", listener.tls->private_key_file},
                              {"client_ca_file", text_or_null(listener.tls->client_ca_file)}};
  }
  return out;
}

json::object upstream_json(const config::UpstreamSettings& upstream) {
  json::array endpoints;
  for (const auto& endpoint : upstream.endpoints) endpoints.emplace_back(proxy::name_of(endpoint));
  json::object out{{"name", upstream.name}, {"endpoints", std::move(endpoints)}};
  out["balance"] = upstream.balance == config::Balance::round_robin ? "round_robin" : "least_requests";
  out["timeouts"] = json::object{{"connect", duration_text(upstream.connect_timeout)},
                                 {"response_header", duration_text(upstream.response_header_timeout)},
                                 {"idle", duration_text(upstream.idle_timeout)}};
  out["retries"] = json::object{{"attempts", upstream.retry_attempts}};
  out["max_connections"] = upstream.max_connections;
  out["preserve_host"] = upstream.preserve_host;
  out["authorization"] = secret_json(upstream.authorization);
  if (const auto& check = upstream.health_check) {
    out["health_check"] = json::object{{"path", check->path},
                                       {"interval", duration_text(check->interval)},
                                       {"timeout", duration_text(check->timeout)},
                                       {"unhealthy_after", check->unhealthy_after},
                                       {"healthy_after", check->healthy_after}};
  }
  return out;
}

json::object credentials_json(const config::CredentialSettings& credentials) {
  json::array sources, formats, admins;
  for (const auto& source : credentials.sources) {
    using Kind = config::CredentialSource::Kind;
    const char* const kind = source.kind == Kind::bearer   ? "bearer"
                             : source.kind == Kind::header ? "header"
                             : source.kind == Kind::query  ? "query"
                                                           : "cookie";
    sources.push_back(json::object{{kind, text_or_null(source.name)}});
  }
  for (const auto& format : credentials.formats) {
    formats.push_back(json::object{
        {"prefix", format.prefix}, {"length", format.length}, {"checksum", format.crc32_checksum ? "crc32" : "none"}});
  }
  for (const auto& admin : credentials.admin_secrets) {
    admins.push_back(
        json::object{{"name", admin.name}, {"secret", secret_json(admin.secret)}, {"scopes", words(admin.scopes)}});
  }
  return {{"sources", std::move(sources)},
          {"formats", std::move(formats)},
          {"admin_secrets", std::move(admins)},
          {"forward", credentials.forward}};
}

json::object resolution_json(const config::ResolutionSettings& resolution) {
  json::object out{{"staleness_bound", duration_text(resolution.staleness_bound)},
                   {"stale_if_error", duration_text(resolution.stale_if_error)}};
  out["memory"] = json::object{{"max_keys", resolution.memory.max_keys},
                               {"max_unknown_keys", resolution.memory.max_unknown_keys},
                               {"unknown_ttl", duration_text(resolution.memory.unknown_ttl)}};
  out["unknown_key_budget"] = json::object{{"per_ip", resolution.unknown_key_budget.per_address},
                                           {"total", resolution.unknown_key_budget.total}};
  if (const auto& redis = resolution.redis) {
    const config::RedisAddress& address = redis->address;
    const std::string place =
        address.host.empty() ? "unix:" + address.socket : address.host + ":" + std::to_string(address.port);
    const bool has_password = redis->password || !address.password.empty();
    out["redis"] = json::object{{"address", place},
                                {"tls", address.is_tls},
                                {"database", address.database},
                                {"username", text_or_null(redis->username)},
                                {"password", has_password ? json::value("***") : json::value(nullptr)},
                                {"timeout", duration_text(redis->timeout)},
                                {"namespace", redis->name_space},
                                {"signing_key_file", text_or_null(redis->signing_key_file)}};
  }
  if (const auto& service = resolution.service) {
    out["service"] = json::object{{"host", service->url.authority},
                                  {"tls", service->url.is_tls},
                                  {"sessions", service->session_url.has_value()},
                                  {"token", secret_json(service->token)},
                                  {"timeout", duration_text(service->timeout)}};
  }
  if (resolution.store) out["store"] = json::object{{"path", resolution.store->path}};
  return out;
}

json::object limits_json(const config::LimitSettings& limits) {
  return {{"header_bytes", limits.header_bytes},
          {"header_count", limits.header_count},
          {"target_bytes", limits.target_bytes},
          {"body_bytes", size_json(limits.body_bytes)},
          {"connections", limits.connections},
          {"connections_per_ip", limits.connections_per_ip},
          {"header_timeout", duration_text(limits.header_timeout)},
          {"idle_timeout", duration_text(limits.idle_timeout)},
          {"body_idle_timeout", duration_text(limits.body_idle_timeout)},
          {"request_timeout", duration_text(limits.request_timeout)},
          {"tunnel_idle_timeout", duration_text(limits.tunnel_idle_timeout)},
          {"tunnel_max_age", duration_text(limits.tunnel_max_age)},
          {"requests_per_connection", limits.requests_per_connection},
          {"drain_delay", duration_text(limits.drain_delay)},
          {"drain_timeout", duration_text(limits.drain_timeout)}};
}

json::object identity_json(const config::IdentityHeaderSettings& names) {
  return {{"organization", text_or_null(names.organization)},
          {"key", text_or_null(names.key)},
          {"user", text_or_null(names.user)},
          {"scopes", text_or_null(names.scopes)},
          {"environment", text_or_null(names.environment)},
          {"method", text_or_null(names.method)}};
}

json::object paths_json(const config::PathSettings& paths) {
  const auto word = [](bool is_relaxed, const char* relaxed) { return is_relaxed ? relaxed : "reject"; };
  return {{"encoded_slash", word(paths.opaque_slashes, "opaque")},
          {"repeated_slashes", word(paths.merge_slashes, "merge")},
          {"dot_segments", word(paths.resolve_dots, "resolve")},
          {"semicolon", word(paths.allow_semicolons, "allow")}};
}

}  // namespace

json::object settings_json(const config::Settings& settings) {
  json::object out{{"file", settings.file}};
  json::array listeners, upstreams, proxies;
  for (const auto& listener : settings.listeners) listeners.push_back(listener_json(listener));
  for (const auto& upstream : settings.upstreams) upstreams.push_back(upstream_json(upstream));
  for (const auto& proxy : settings.trusted_proxies) proxies.emplace_back(proxy.value);
  out["listeners"] = std::move(listeners);
  out["trusted_proxies"] = std::move(proxies);
  out["health"] = settings.health ? json::value(config::name_of(*settings.health)) : json::value(nullptr);
  if (settings.admin) {
    out["admin"] = json::object{{"address", config::name_of(settings.admin->address)},
                                {"token", secret_json(settings.admin->token)}};
  }
  out["upstreams"] = std::move(upstreams);
  out["credentials"] = credentials_json(settings.credentials);
  out["resolution"] = resolution_json(settings.resolution);
  out["identity_headers"] = identity_json(settings.identity_headers);
  out["paths"] = paths_json(settings.paths);
  out["limits"] = limits_json(settings.limits);
  out["minimal_errors"] = settings.minimal_errors;
  out["threads"] = settings.threads;
  out["routes"] = settings.policy.routes.size();
  return out;
}

}  // namespace keygate::app
