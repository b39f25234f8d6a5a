#include "config/settings_reader.hpp"

#include "config/address.hpp"
#include "config/admin_reader.hpp"
#include "config/collection_readers.hpp"
#include "config/credential_reader.hpp"
#include "config/header_name.hpp"
#include "config/health_reader.hpp"
#include "config/limits_reader.hpp"
#include "config/listener_reader.hpp"
#include "config/resolution_reader.hpp"
#include "config/scalar_readers.hpp"
#include "config/tracing_reader.hpp"
#include "config/upstream_reader.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace keygate::config {
namespace {

Reader<Text> proxy_reader() {
  auto block = parsed<std::string>("an address block such as 10.0.0.0/8", parse_address_block);
  return located(then(std::move(block), [](const Value& value, std::string text) -> std::optional<std::string> {
    if (text.size() > 2 && text.compare(text.size() - 2, 2, "/0") == 0) {
      value.warn(quoted(text) + " lets every client say who it is", "name the proxies alone");
    }
    return text;
  }));
}

Reader<std::string> identity_header() {
  auto name = parsed<std::string>("a header name, or null to leave the header out", parse_identity_header);
  return {name.form,
          [name](const Value& value) { return value.is_null() ? std::optional<std::string>("") : name.read(value); },
          true, schema_of_any({name.schema, schema_of_null()})};
}

struct NamedHeader {
  std::string_view key;
  std::string IdentityHeaderSettings::*name;
};

constexpr std::array<NamedHeader, 6> identity_headers{{{"organization", &IdentityHeaderSettings::organization},
                                                       {"key", &IdentityHeaderSettings::key},
                                                       {"user", &IdentityHeaderSettings::user},
                                                       {"scopes", &IdentityHeaderSettings::scopes},
                                                       {"environment", &IdentityHeaderSettings::environment},
                                                       {"method", &IdentityHeaderSettings::method}}};

// Complains at a name that was written, even where the other is a default that comes after it.
std::optional<IdentityHeaderSettings> drop_no_twins(const Value& value, IdentityHeaderSettings headers) {
  for (const auto& one : identity_headers) {
    const auto written = value.member(std::string(one.key));
    if (!written || (headers.*one.name).empty()) continue;
    for (const auto& other : identity_headers) {
      if (other.key == one.key || folded_header_name(headers.*other.name) != folded_header_name(headers.*one.name))
        continue;
      written->complain(quoted(headers.*one.name) + " is the header of " + quoted(std::string(other.key)) + " too");
      break;
    }
  }
  return headers;
}

Reader<IdentityHeaderSettings> identity_headers_reader() {
  using H = IdentityHeaderSettings;
  return then(object<H>({
                  key("organization", &H::organization, identity_header(), "the principal's organization"),
                  key("key", &H::key, identity_header(), "the key's id"),
                  key("user", &H::user, identity_header(), "the principal's user"),
                  key("scopes", &H::scopes, identity_header(), "granted scopes, space separated"),
                  key("environment", &H::environment, identity_header(), "live or test"),
                  key("method", &H::method, identity_header(), "api_key, session, admin or anonymous"),
              }),
              drop_no_twins);
}

Reader<LogSettings> log_reader() {
  using L = LogSettings;
  const auto level = one_of<LogLevel>(
      {{"debug", LogLevel::debug}, {"info", LogLevel::info}, {"warn", LogLevel::warn}, {"error", LogLevel::error}});
  const auto format = one_of<LogFormat>({{"json", LogFormat::json}, {"text", LogFormat::text}});
  const auto access = one_of<AccessLogWhich>(
      {{"all", AccessLogWhich::all}, {"denied", AccessLogWhich::denied}, {"none", AccessLogWhich::none}});
  return object<L>({
      key("level", &L::level, level, "the least severe line that is written"),
      key("format", &L::format, format, "json or text"),
      key("access", &L::access, access, "which exchanges get an access-log line"),
  });
}

Reader<PathSettings> paths_reader() {
  using P = PathSettings;
  const auto one_or = [](const char* word) { return one_of<bool>({{"reject", false}, {word, true}}); };
  return object<P>({
      key("encoded_slash", &P::opaque_slashes, one_or("opaque"), "%2F in a path; opaque: part of its segment"),
      key("repeated_slashes", &P::merge_slashes, one_or("merge"), "// in a path; merge: one slash"),
      key("dot_segments", &P::resolve_dots, one_or("resolve"), ". and .. in a path; resolve: by RFC 3986"),
      key("semicolon", &P::allow_semicolons, one_or("allow"), "; in a path; allow: part of its segment"),
  });
}

Key<Settings> errors_key() {
  return group<Settings>("errors",
                         {
                             key("detail", &Settings::minimal_errors,
                                 one_of<bool>({{"full", false}, {"minimal", true}}), "minimal: one body for every 401"),
                         },
                         "what a refused client is told");
}

Key<Settings> sidecar_key() {
  return group<Settings>("sidecar",
                         {
                             key("bypass", &Settings::bypass,
                                 one_of<BypassAnswer>({{"warn", BypassAnswer::warn},
                                                       {"not_ready", BypassAnswer::not_ready},
                                                       {"ignore", BypassAnswer::ignore}}),
                                 "an upstream on loopback that can be reached around Keygate"),
                         },
                         "beside one application, on loopback");
}

Table<Settings> settings_table(Reader<PolicyDocument> policy) {
  using S = Settings;
  const auto add_listener = [](S& settings, ListenerSettings one) { settings.listeners.push_back(std::move(one)); };
  const auto add_listeners = [](S& settings, std::vector<ListenerSettings> all) {
    settings.listeners.insert(settings.listeners.end(), all.begin(), all.end());
  };
  const auto add_upstream = [](S& settings, UpstreamSettings one) { settings.upstreams.push_back(std::move(one)); };
  const auto add_upstreams = [](S& settings, std::vector<UpstreamSettings> all) {
    settings.upstreams.insert(settings.upstreams.end(), all.begin(), all.end());
  };
  return {
      idle<S>("version", version_reader(), "of this format"),
      key_set_by<S>("listen", listening_address(), add_listener, "short for one listener"),
      key_set_by<S>("listeners", list_of(listener_reader()), add_listeners, "where clients connect"),
      key("trusted_proxies", &S::trusted_proxies, list_of(proxy_reader()), "whose X-Forwarded-* is believed"),
      key("health", &S::health, health_reader(), "the listener for probes and metrics; off unless set"),
      sidecar_key(),
      key_set_by<S>("upstream", default_upstream_reader(), add_upstream, "short for one upstream called default"),
      key_set_by<S>("upstreams", upstreams_reader(), add_upstreams, "what is protected, by name"),
      key("credentials", &S::credentials, credentials_reader(),
          "where credentials are looked for and what they look like"),
      key("resolution", &S::resolution, resolution_reader(), "how a key becomes a principal"),
      key("identity_headers", &S::identity_headers, identity_headers_reader(), "the names of the injected headers"),
      key("limits", &S::limits, limits_reader(), "sizes, counts and times"),
      key("log", &S::log, log_reader(), "what is logged and how"),
      errors_key(),
      key("threads", &S::threads, whole_number(0, 256), "workers; 0: what the cgroup quota gives"),
      key("policy", &S::policy, std::move(policy), "a file name, or the policy itself"),
      key("paths", &S::paths, paths_reader(), "what becomes of paths that could be read in two ways"),
      key("tracing", &S::tracing, tracing_reader(), "OpenTelemetry: what is traced, and where spans go"),
      key("admin", &S::admin, admin_reader(), "where operators look at it; off unless set"),
      key("key_service", &S::key_service, key_service_reader(), "who may do what at the bundled key service"),
  };
}

void require(const Value& root, const std::string& key, const std::string& hint) {
  if (!root.member(key)) root.complain(quoted(key) + " is missing", hint);
}

void check_upstreams(const Value& root, const Settings& settings) {
  std::map<std::string, int> named;
  for (const auto& upstream : settings.upstreams) ++named[upstream.name];
  if (const auto shorthand = root.member("upstream"); shorthand && named["default"] > 1) {
    shorthand->complain("there is an upstream called \"default\" already",
                        "\"upstream\" is short for it; write one of both");
  }
  if (!root.member("upstream") && !root.member("upstreams")) {
    root.complain("\"upstream\" is missing", "write upstream: http://127.0.0.1:3000");
  }
  for (const auto& upstream : settings.upstreams) {
    if (upstream.max_connections < settings.threads) {
      root.complain_at(upstream.where,
                       "the upstream " + quoted(upstream.name) + " has fewer connections than there are threads",
                       "each needs one: raise max_connections, or lower threads");
    }
  }
}

// Identity headers are stripped from every request before they are injected, so such a source would never be seen.
void check_sources(const Value& root, const Settings& settings) {
  for (const auto& source : settings.credentials.sources) {
    if (source.kind != CredentialSource::Kind::header) continue;
    for (const auto& header : identity_headers) {
      if (folded_header_name(settings.identity_headers.*header.name) != folded_header_name(source.name)) continue;
      const auto blamed = root.member("credentials") ? root.member("credentials") : root.member("identity_headers");
      blamed->complain("the header " + quoted(source.name) + " carries a credential and the identity of the " +
                       std::string(header.key));
    }
  }
}

// Without a format every Bearer token is an API key: a session token in Authorization would be asked for as one.
void check_sessions(const Value& root, const Settings& settings) {
  const auto& service = settings.resolution.service;
  const auto& sources = settings.credentials.sources;
  const bool reads_bearer = std::any_of(sources.begin(), sources.end(), [](const CredentialSource& source) {
    return source.kind == CredentialSource::Kind::bearer;
  });
  if (service && service->session_url && reads_bearer && settings.credentials.formats.empty()) {
    root.member("resolution")
        ->complain("\"session_url\" beside the source bearer needs credentials.formats",
                   "else every Bearer token is an API key");
  }
}

std::optional<Settings> completed_for_key_server(const Value& root, Settings settings) {
  require(root, "policy", "its catalogue says which scopes there are: write policy: {scopes: {...}}");
  require(root, "resolution", "write resolution: {store: {path: keygate.db}}");
  if (const auto service = root.member("resolution") ? root.member("resolution")->member("service") : std::nullopt) {
    service->complain("a key server answers from its own store", "write store: {path: keygate.db} instead");
  }
  const KeyServiceSettings& tokens = settings.key_service;
  if (!tokens.token && !tokens.manage_token && !tokens.admin_token) {
    root.complain("\"key_service\" names no token, so nobody may ask anything",
                  "write key_service: {token_file: FILE, admin_token_file: FILE}");
  }
  if (!root.member("listen") && !root.member("listeners")) settings.listeners.emplace_back();
  check_listeners(root, settings, Purpose::key_server);
  check_health(root, settings, Purpose::key_server);
  return settings;
}

std::optional<Settings> completed(const Value& root, Settings settings) {
  require(root, "policy", "write policy: policy.yaml, or the policy itself");
  require(root, "resolution", "write resolution: {store: {path: keygate.db}}");
  take_tracing_variables(root, settings.tracing);
  check_sessions(root, settings);
  check_upstreams(root, settings);
  if (!root.member("listen") && !root.member("listeners")) settings.listeners.emplace_back();
  check_listeners(root, settings, Purpose::proxy);
  check_health(root, settings, Purpose::proxy);
  check_sources(root, settings);
  return settings;
}

}  // namespace

Reader<Settings> settings_reader(Reader<PolicyDocument> policy, Purpose purpose) {
  return then(object(settings_table(std::move(policy))),
              purpose == Purpose::proxy ? completed : completed_for_key_server);
}

Reader<std::uint64_t> version_reader() { return whole_number(1, 1); }

}  // namespace keygate::config
