// What the operator asked for, typed and immutable (docs/configuration.md). Made once by config::load, shared as const.
// A default written here is the documented default; the loader only overwrites what the file names.
#pragma once

#include "config/path_settings.hpp"
#include "config/policy_document.hpp"
#include "config/resolution_settings.hpp"
#include "config/tracing_settings.hpp"
#include "config/wire_settings.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace keygate::config {

using std::chrono::seconds;

inline constexpr std::size_t max_endpoints = 64;  // of one upstream

// How one of several endpoints is chosen.
enum class Balance : std::uint8_t { round_robin, least_requests };

// A GET of `path` to each endpoint; 2xx is well.
struct HealthCheckSettings {
  std::string path;
  milliseconds interval{5'000};
  milliseconds timeout{1'000};
  unsigned unhealthy_after = 3;  // checks in a row
  unsigned healthy_after = 2;
  Position where;
};

struct UpstreamSettings {
  std::string name;
  Position where;
  std::vector<EndpointSettings> endpoints;  // one to max_endpoints
  Balance balance = Balance::round_robin;
  milliseconds connect_timeout{1'000};
  milliseconds response_header_timeout{15'000};
  milliseconds idle_timeout{60'000};   // a body that stands still, and a pooled connection nobody uses
  unsigned retry_attempts = 1;         // extra tries; a request is only sent again where that is safe
  std::size_t max_connections = 1024;  // of the whole process, idle ones too
  bool preserve_host = true;
  std::optional<HealthCheckSettings> health_check;
  UpstreamTlsSettings tls;                      // for https:// endpoints
  std::optional<SecretSettings> authorization;  // a Bearer token of ours, in place of the client's Authorization
};

struct CredentialSource {
  enum class Kind : std::uint8_t { bearer, header, query, cookie };
  Kind kind = Kind::bearer;
  std::string name;  // of the header, parameter or cookie; header names in lower case; empty for bearer
};

struct KeyFormatSettings {
  std::string prefix;
  Environment environment = Environment::none;
  std::size_t length = 0;  // 0: any from 20 to 256
  bool crc32_checksum = false;
  Position where;
};

struct CredentialSettings {
  std::vector<CredentialSource> sources{{CredentialSource::Kind::bearer, ""},
                                        {CredentialSource::Kind::header, "x-api-key"}};
  std::vector<KeyFormatSettings> formats;  // empty: every token is an API key
  std::vector<AdminSecretSettings> admin_secrets;
  bool forward = false;
};

// An empty name leaves the header out.
struct IdentityHeaderSettings {
  std::string organization = "X-Org-Id";
  std::string key = "X-Key-Id";
  std::string user = "X-User-Id";
  std::string scopes = "X-Scopes";
  std::string environment = "X-Environment";
  std::string method = "X-Auth-Method";
};

inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

struct LimitSettings {
  std::size_t header_bytes = 32 * 1024;  // 4 KiB to 256 KiB
  std::size_t header_count = 100;        // at most 128
  std::size_t target_bytes = 8 * 1024;
  std::uint64_t body_bytes = unlimited;
  std::size_t connections = 10'000;
  bool connections_written = false;    // the operator named a number; it is then refused rather than lowered
  std::size_t connections_per_ip = 0;  // 0: no limit
  milliseconds header_timeout{10'000};
  milliseconds idle_timeout{60'000};
  milliseconds body_idle_timeout{30'000};
  std::uint64_t body_min_rate = 240;      // bytes a second; 0: no limit
  milliseconds request_timeout{300'000};  // for a body to come; 0: no limit
  milliseconds tunnel_idle_timeout{300'000};
  milliseconds tunnel_max_age{3'600'000};
  std::uint64_t requests_per_connection = 0;  // 0: no limit
  milliseconds drain_delay{2'000};
  milliseconds drain_timeout{25'000};
};

enum class LogLevel : std::uint8_t { debug, info, warn, error };
enum class LogFormat : std::uint8_t { json, text };
enum class AccessLogWhich : std::uint8_t { all, denied, none };

struct LogSettings {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::json;
  AccessLogWhich access = AccessLogWhich::all;
};

// Where operators look at a running proxy: a unix socket, or a loopback address.
struct AdminSettings {
  ListenerSettings address;
  std::optional<SecretSettings> token;  // none: what changes something works over a unix socket alone
};

// An address block, kept as text that the loader has checked: "10.0.0.0/8", "::1/128".
struct Settings {
  std::string file;  // the path it was loaded from, as given
  std::vector<ListenerSettings> listeners;
  std::vector<Text> trusted_proxies;
  std::optional<HealthSettings> health;
  std::optional<AdminSettings> admin;
  BypassAnswer bypass = BypassAnswer::warn;
  std::vector<UpstreamSettings> upstreams;
  CredentialSettings credentials;
  ResolutionSettings resolution;
  IdentityHeaderSettings identity_headers;
  LimitSettings limits;
  LogSettings log;
  TracingSettings tracing;
  KeyServiceSettings key_service;
  PathSettings paths;
  bool minimal_errors = false;
  unsigned threads = 0;  // 0: what the cgroup quota gives
  PolicyDocument policy;

  // The upstream of that name, or nullptr.
  const UpstreamSettings* find_upstream(const std::string& name) const;
};

}  // namespace keygate::config
