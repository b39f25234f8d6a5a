// How a credential becomes a principal, as the operator asked for it: part of Settings (docs/configuration.md).
#pragma once

#include "config/policy_document.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace keygate::config {

using std::chrono::milliseconds;

enum class Environment : std::uint8_t { none, live, test };

// Where a secret is to be had. It is read when the proxy starts or reloads; Settings hold none, unless one was written
// out in the configuration.
struct SecretSettings {
  enum class Kind : std::uint8_t { file, environment, literal };
  Kind kind = Kind::file;
  std::string text;  // the file's path, the variable's name, or the secret
  Position where;
};

struct MemorySettings {
  std::size_t max_keys = 100'000;         // per worker
  std::size_t max_unknown_keys = 50'000;  // remembered apart, so that spraying evicts no good key
  milliseconds unknown_ttl{5'000};        // 0: unknown keys are not remembered
};

struct StoreSettings {
  std::string path;  // resolved against the file it was written in
  Position where;
};

// redis://[user[:password]@]host[:port][/database], rediss:// for TLS, unix:///path.sock[?db=0]
struct RedisAddress {
  std::string host;  // name or numeric address; empty: `socket` is used
  std::uint16_t port = 6379;
  std::string socket;
  bool is_tls = false;
  unsigned database = 0;
  std::string username;  // empty: the default user
  std::string password;  // one that stood in the URL
};

struct RedisSettings {
  Position where;
  RedisAddress address;
  std::string username;  // over the URL's
  std::optional<SecretSettings> password;
  std::string ca_file;           // empty: what the system trusts
  milliseconds timeout{50};      // of one command
  std::string name_space;        // before every Redis key
  std::string signing_key_file;  // one key a line, the first signs; empty: records are not signed
};

struct ServiceUrl {
  bool is_tls = false;
  std::string host;  // name or numeric address, v6 without brackets
  std::uint16_t port = 0;
  std::string target;     // path and query, at least "/"
  std::string authority;  // for Host

  bool operator==(const ServiceUrl&) const = default;
};

enum class ServiceDialect : std::uint8_t { native, rfc7662, unkey, better_auth, custom };

// What `dialect: custom` spells out; the other dialects are presets of it. Pointers are JSON pointers (RFC 6901) into
// the answer; an empty one: the answer has no such field.
struct ServiceMapping {
  enum class Form : std::uint8_t { json, form };
  Form form = Form::json;
  std::string request_field = "key";  // what the credential is called in the request
  std::string valid = "/valid";       // a boolean
  std::string code = "/code";         // a word, where `valid` is false
  std::string key_id = "/key_id";
  std::string organization = "/organization_id";
  std::string user = "/user_id";
  std::string scopes = "/scopes";  // a list of words, or words separated by blanks
  std::string environment = "/environment";
  std::string expires_at = "/expires_at";  // unix seconds
};

struct ServiceSettings {
  Position where;
  ServiceUrl url;
  ServiceDialect dialect = ServiceDialect::native;
  std::optional<ServiceMapping> mapping;  // custom only
  std::optional<ServiceUrl> session_url;
  std::optional<ServiceUrl> usage_url;      // where the use of keys is reported; none: it is not
  std::vector<std::string> session_scopes;  // what a session is granted where the answer names no scopes
  std::optional<SecretSettings> token;
  std::string ca_file;  // empty: what the system trusts
  milliseconds timeout{2'000};
};

struct BudgetSettings {
  std::uint64_t per_address = 20;  // look-ups of unknown keys a second; 0: no limit
  std::uint64_t total = 200;
};

struct ResolutionSettings {
  Position where;
  milliseconds staleness_bound{60'000};  // 1 s to 24 h
  MemorySettings memory;
  std::optional<RedisSettings> redis;
  std::optional<ServiceSettings> service;  // or
  std::optional<StoreSettings> store;
  milliseconds stale_if_error{0};  // how far past the bound a known key serves while nobody can be asked
  BudgetSettings unknown_key_budget;
};

// A secret that sees across organizations, on routes that name `admin`.
struct AdminSecretSettings {
  std::string name;
  std::optional<SecretSettings> secret;
  std::vector<std::string> scopes;
  Environment environment = Environment::none;
  Position where;
};

// Who may do what at the bundled key service; an unset one opens nothing.
struct KeyServiceSettings {
  std::optional<SecretSettings> token;         // verify, and report use
  std::optional<SecretSettings> manage_token;  // of a proxy that lets customers manage their own keys
  std::optional<SecretSettings> admin_token;   // everything
};

}  // namespace keygate::config
