#include "app/settings_json.hpp"

#include "proxy/endpoint.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace keygate::app {

namespace json = boost::json;

namespace {

json::value size_json(std::uint64_t size) {
  return size == config::unlimited ? json::value("unlimited") : json::value(size);
}

json::value text_or_null(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); }

const char* word_of(config::ClientCertificate asked) {
  switch (asked) {
    case config::ClientCertificate::none:
      return "none";
    case config::ClientCertificate::optional:
      return "optional";
    case config::ClientCertificate::required:
      return "required";
  }
  return "";
}

const char* word_of(config::DecisionDialect dialect) {
  switch (dialect) {
    case config::DecisionDialect::nginx:
      return "nginx";
    case config::DecisionDialect::forwarded:
      return "forwarded";
    case config::DecisionDialect::envoy:
      return "envoy";
  }
  return "";
}

const char* word_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::debug:
      return "debug";
    case config::LogLevel::info:
      return "info";
    case config::LogLevel::warn:
      return "warn";
    case config::LogLevel::error:
      return "error";
  }
  return "";
}

const char* word_of(config::BypassAnswer answer) {
  switch (answer) {
    case config::BypassAnswer::warn:
      return "warn";
    case config::BypassAnswer::not_ready:
      return "not_ready";
    case config::BypassAnswer::ignore:
      return "ignore";
  }
  return "";
}

const char* word_of(config::AccessLogWhich which) {
  switch (which) {
    case config::AccessLogWhich::all:
      return "all";
    case config::AccessLogWhich::denied:
      return "denied";
    case config::AccessLogWhich::none:
      return "none";
  }
  return "";
}

json::object health_json(const config::HealthSettings& health) {
  json::object out{{"address", config::name_of(health.address)}};
  json::object forward;
  for (const config::ForwardedProbeSettings& probe : health.forward) {
    forward[probe.path] =
        json::object{{"upstream", probe.upstream}, {"path", probe.target}, {"timeout", duration_text(probe.timeout)}};
  }
  if (!forward.empty()) out["forward"] = std::move(forward);
  return out;
}

json::object listener_json(const config::ListenerSettings& listener) {
  json::object out{{"address", config::name_of(listener)}};
  if (const auto& tls = listener.tls) {
    json::object of_tls{{"certificate_file", tls->certificate_file}, {"private_key_file", tls->private_key_file}};
    put_text(of_tls, "client_ca_file", tls->client_ca_file);
    of_tls["client_certificate"] = word_of(tls->client_certificate);
    of_tls["min_version"] = tls->needs_tls13 ? "1.3" : "1.2";
    out["tls"] = std::move(of_tls);
  }
  out["proxy_protocol"] = listener.proxy_protocol;
  out["mode"] = listener.decides ? "authorize" : "proxy";
  if (listener.decides) out["authorize"] = json::object{{"dialect", word_of(*listener.decides)}};
  return out;
}

json::object upstream_tls_json(const config::UpstreamTlsSettings& tls) {
  json::object out;
  put_text(out, "ca_file", tls.ca_file);
  put_text(out, "server_name", tls.server_name);
  put_text(out, "certificate_file", tls.certificate_file);
  put_text(out, "private_key_file", tls.private_key_file);
  return out;
}

json::object upstream_json(const config::UpstreamSettings& upstream) {
  json::array endpoints;
  for (const auto& endpoint : upstream.endpoints) endpoints.emplace_back(proxy::name_of(endpoint));
  json::object out{{"endpoints", std::move(endpoints)}};
  out["balance"] = upstream.balance == config::Balance::round_robin ? "round_robin" : "least_requests";
  if (auto tls = upstream_tls_json(upstream.tls); !tls.empty()) out["tls"] = std::move(tls);
  out["timeouts"] = json::object{{"connect", duration_text(upstream.connect_timeout)},
                                 {"response_header", duration_text(upstream.response_header_timeout)},
                                 {"idle", duration_text(upstream.idle_timeout)}};
  out["retries"] = json::object{{"attempts", upstream.retry_attempts}};
  out["max_connections"] = upstream.max_connections;
  out["preserve_host"] = upstream.preserve_host;
  put_secret(out, "authorization", upstream.authorization);
  if (const auto& check = upstream.health_check) {
    out["health_check"] = json::object{{"path", check->path},
                                       {"interval", duration_text(check->interval)},
                                       {"timeout", duration_text(check->timeout)},
                                       {"unhealthy_after", check->unhealthy_after},
                                       {"healthy_after", check->healthy_after}};
  }
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
          {"body_min_rate", limits.body_min_rate},
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

json::object log_json(const config::LogSettings& log) {
  return {{"level", word_of(log.level)},
          {"format", log.format == config::LogFormat::json ? "json" : "text"},
          {"access", word_of(log.access)}};
}

json::object tracing_json(const config::TracingSettings& tracing) {
  json::object out{{"otlp_endpoint", nullptr},
                   {"sample", tracing.sample},
                   {"trust_parent", tracing.trust_parent},
                   {"service_name", tracing.service_name}};
  if (const auto& url = tracing.endpoint) {
    const std::size_t query = url->target.find('?');
    out["otlp_endpoint"] = (url->is_tls ? "https://" : "http://") + url->authority + url->target.substr(0, query) +
                           (query == std::string::npos ? "" : "?***");
  }
  put_text(out, "ca_file", tracing.ca_file);
  return out;
}

json::object paths_json(const config::PathSettings& paths) {
  const auto word = [](bool is_relaxed, const char* relaxed) { return is_relaxed ? relaxed : "reject"; };
  return {{"encoded_slash", word(paths.opaque_slashes, "opaque")},
          {"repeated_slashes", word(paths.merge_slashes, "merge")},
          {"dot_segments", word(paths.resolve_dots, "resolve")},
          {"semicolon", word(paths.allow_semicolons, "allow")}};
}

}  // namespace

std::string duration_text(std::chrono::milliseconds time) {
  const auto ms = time.count();
  if (ms % 1000 != 0) return std::to_string(ms) + "ms";
  if (ms != 0 && ms % 3'600'000 == 0) return std::to_string(ms / 3'600'000) + "h";
  if (ms != 0 && ms % 60'000 == 0) return std::to_string(ms / 60'000) + "m";
  return std::to_string(ms / 1000) + "s";
}

void put_secret(json::object& out, std::string_view name, const std::optional<config::SecretSettings>& secret) {
  if (!secret) return;
  switch (secret->kind) {
    case config::SecretSettings::Kind::file:
      out[std::string(name) + "_file"] = secret->text;
      return;
    case config::SecretSettings::Kind::environment:
      out[std::string(name) + "_env"] = secret->text;
      return;
    case config::SecretSettings::Kind::literal:
      out[std::string(name)] = "***";
      return;
  }
}

void put_text(json::object& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out[json::string_view(name.data(), name.size())] = text;
}

json::object settings_json(const config::Settings& settings) {
  json::array listeners, proxies;
  json::object upstreams;
  for (const auto& listener : settings.listeners) listeners.push_back(listener_json(listener));
  for (const auto& upstream : settings.upstreams) upstreams[upstream.name] = upstream_json(upstream);
  for (const auto& proxy : settings.trusted_proxies) proxies.emplace_back(proxy.value);
  json::object out{{"listeners", std::move(listeners)}};
  if (!proxies.empty()) out["trusted_proxies"] = std::move(proxies);
  if (settings.health) out["health"] = health_json(*settings.health);
  if (settings.admin) {
    json::object admin{{"address", config::name_of(settings.admin->address)}};
    put_secret(admin, "token", settings.admin->token);
    out["admin"] = std::move(admin);
  }
  out["sidecar"] = json::object{{"bypass", word_of(settings.bypass)}};
  if (!upstreams.empty()) out["upstreams"] = std::move(upstreams);
  out["credentials"] = credentials_json(settings.credentials);
  out["resolution"] = resolution_json(settings.resolution);
  out["identity_headers"] = identity_json(settings.identity_headers);
  out["paths"] = paths_json(settings.paths);
  out["limits"] = limits_json(settings.limits);
  out["log"] = log_json(settings.log);
  out["tracing"] = tracing_json(settings.tracing);
  out["errors"] = json::object{{"detail", settings.minimal_errors ? "minimal" : "full"}};
  out["threads"] = settings.threads;
  json::object tokens;
  put_secret(tokens, "token", settings.key_service.token);
  put_secret(tokens, "manage_token", settings.key_service.manage_token);
  put_secret(tokens, "admin_token", settings.key_service.admin_token);
  if (!tokens.empty()) out["key_service"] = std::move(tokens);
  return out;
}

}  // namespace keygate::app
