#include "config/resolution_reader.hpp"

#include "config/collection_readers.hpp"
#include "config/dependency_url.hpp"
#include "config/scalar_readers.hpp"
#include "config/secret_reader.hpp"

#include <array>
#include <charconv>

namespace keygate::config {

using namespace std::chrono_literals;

namespace {

Reader<MemorySettings> memory_reader() {
  using M = MemorySettings;
  return object<M>({
      key("max_keys", &M::max_keys, whole_number(1, 10'000'000), "principals a worker remembers"),
      key("max_unknown_keys", &M::max_unknown_keys, whole_number(1, 10'000'000), "unknown keys a worker remembers"),
      key("unknown_ttl", &M::unknown_ttl, duration(0s, 1h), "how long an unknown key is remembered"),
  });
}

Reader<StoreSettings> store_reader() {
  using S = StoreSettings;
  return object<S>({required(key("path", &S::path, file_path(), "the embedded store's file"))});
}

Parsed<std::string> parse_namespace(const std::string& text) {
  constexpr std::size_t longest = 64;
  const bool fits =
      text.size() <= longest &&
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-") == std::string::npos;
  if (!fits) return Fault{quoted(text) + " is no namespace", "at most 64 letters, digits, _, ., : and - will do"};
  return text;
}

// "" is the default and may be written.
Reader<std::string> namespace_reader() {
  const auto named = parsed<std::string>("a namespace", parse_namespace);
  return {named.form,
          [named](const Value& value) {
            const auto word = value.is_scalar() ? value.scalar(named.form) : std::nullopt;
            return word && word->text.empty() ? std::optional<std::string>("") : named.read(value);
          },
          false, R"({"type":["string","number","boolean"]})"};
}

// A secret has one place.
void complain_of_two(const Value& value, const char* in_file, const char* in_environment) {
  if (value.member(in_file) && value.member(in_environment)) {
    value.member(in_environment)
        ->complain(quoted(in_file) + " and " + quoted(in_environment) + " stand here", "write one of both");
  }
}

std::optional<RedisSettings> checked_redis(const Value& value, RedisSettings redis) {
  const auto url = value.member("url");
  const RedisAddress& address = redis.address;
  complain_of_two(value, "password_file", "password_env");
  if (url && !address.password.empty()) {
    url->warn("a password stands in the configuration itself", "use password_file");
    if (redis.password) url->complain("a password stands here and in password_file");
    redis.password = SecretSettings{SecretSettings::Kind::literal, address.password, url->where()};
  }
  if (redis.username.empty()) redis.username = address.username;
  if (!redis.username.empty() && !redis.password) {
    value.complain("a user without a password", "write password_file");
  }
  if (url && address.socket.empty() && !address.is_tls && !address.host.empty() && !is_loopback(address.host)) {
    url->warn("who is on the way there reads and writes identities", "use rediss://");
  }
  if (!redis.ca_file.empty() && !address.is_tls) value.member("ca_file")->complain("only rediss:// has certificates");
  return redis;
}

Reader<RedisSettings> redis_reader() {
  using R = RedisSettings;
  return then(
      object<R>({
          required(key("url", &R::address, parsed<RedisAddress>("a Redis URL", parse_redis_url),
                       "redis://, rediss:// or unix://")),
          key("username", &R::username, text("a user's name"), "of the ACL"),
          key("password_file", &R::password, secret_in_file(), "holds its password"),
          key("password_env", &R::password, secret_in_environment(), "holds its password"),
          key("ca_file", &R::ca_file, file_path(), "whose certificates are trusted"),
          key("timeout", &R::timeout, duration(1ms, 1s), "of one command"),
          key("namespace", &R::name_space, namespace_reader(), "what every key begins with"),
          key("signing_key_file", &R::signing_key_file, file_path(), "signs records: one key a line, the first signs"),
      }),
      checked_redis);
}

Parsed<std::string> parse_pointer(const std::string& text) {
  if (text.front() != '/') return Fault{quoted(text) + " is no JSON pointer", "write /data/key_id"};
  return text;
}

Reader<std::string> place() { return parsed<std::string>("a JSON pointer such as /data/key_id", parse_pointer); }

// null: the answer has no such field.
Reader<std::string> pointer() {
  const auto written = parsed<std::string>("a JSON pointer such as /data/key_id, or null", parse_pointer);
  return {
      written.form,
      [written](const Value& value) { return value.is_null() ? std::optional<std::string>("") : written.read(value); },
      true, schema_of_any({written.schema, schema_of_null()})};
}

Reader<ServiceMapping> mapping_reader() {
  using M = ServiceMapping;
  const auto form = one_of<M::Form>({{"json", M::Form::json}, {"form", M::Form::form}});
  return object<M>({
      key("request", &M::form, form, "json, or form: how the credential is sent"),
      key("request_field", &M::request_field, text("a name"), "what the credential is called in the request"),
      required(key("valid", &M::valid, place(), "true where the key is good")),
      key("code", &M::code, pointer(), "why it is not"),
      required(key("key_id", &M::key_id, place(), "the key's id")),
      key("organization", &M::organization, pointer(), "its organization"),
      key("user", &M::user, pointer(), "its user"),
      key("scopes", &M::scopes, pointer(), "what it is granted"),
      key("environment", &M::environment, pointer(), "live or test"),
      key("expires_at", &M::expires_at, pointer(), "unix seconds"),
  });
}

void warn_of_plain_http(const Value& value, const std::string& member, const ServiceUrl& url) {
  const auto written = value.member(member);
  if (written && !url.host.empty() && !url.is_tls && !is_loopback(url.host)) {
    written->warn("keys go to " + url.host + " in clear", "use https://");
  }
}

// The bundled key service, and whoever speaks its dialect at such a URL, takes reports beside it.
void report_beside(ServiceSettings& service) {
  constexpr std::string_view verify = "/keys/verify", usage = "/usage";
  const std::string& target = service.url.target;
  if (service.usage_url || service.dialect != ServiceDialect::native || !target.ends_with(verify)) return;
  service.usage_url = service.url;
  service.usage_url->target = target.substr(0, target.size() - verify.size()).append(usage);
}

std::optional<ServiceSettings> checked_service(const Value& value, ServiceSettings service) {
  complain_of_two(value, "token_file", "token_env");
  const bool is_custom = service.dialect == ServiceDialect::custom;
  if (is_custom && !service.mapping) value.complain("\"dialect: custom\" needs a \"mapping\"");
  if (!is_custom && service.mapping) value.complain("only \"dialect: custom\" has a \"mapping\"");
  if (!service.session_url && !service.session_scopes.empty()) {
    value.complain("\"session_scopes\" without \"session_url\"");
  }
  warn_of_plain_http(value, "url", service.url);
  if (service.session_url) warn_of_plain_http(value, "session_url", *service.session_url);
  if (service.usage_url) warn_of_plain_http(value, "usage_url", *service.usage_url);
  const auto is_secured = [](const std::optional<ServiceUrl>& url) { return url && url->is_tls; };
  const bool is_tls = service.url.is_tls || is_secured(service.session_url) || is_secured(service.usage_url);
  if (!service.ca_file.empty() && !is_tls) value.member("ca_file")->complain("only https:// has certificates");
  report_beside(service);
  return service;
}

Reader<ServiceSettings> service_reader() {
  using S = ServiceSettings;
  const auto url = parsed<ServiceUrl>("a URL", parse_service_url);
  const auto dialect = one_of<ServiceDialect>({{"native", ServiceDialect::native},
                                               {"rfc7662", ServiceDialect::rfc7662},
                                               {"unkey", ServiceDialect::unkey},
                                               {"better-auth", ServiceDialect::better_auth},
                                               {"custom", ServiceDialect::custom}});
  return then(object<S>({
                  required(key("url", &S::url, url, "where keys are verified")),
                  key("dialect", &S::dialect, dialect, "how it is asked and what it answers"),
                  key("mapping", &S::mapping, mapping_reader(), "of dialect custom"),
                  key("session_url", &S::session_url, url, "where sessions are verified"),
                  key("usage_url", &S::usage_url, url, "where the use of keys is reported"),
                  key("session_scopes", &S::session_scopes, list_of(text("a scope")),
                      "what a session is granted where the answer names none"),
                  key("token_file", &S::token, secret_in_file(), "holds the token it is asked with"),
                  key("token_env", &S::token, secret_in_environment(), "holds the token it is asked with"),
                  key("ca_file", &S::ca_file, file_path(), "whose certificates are trusted"),
                  key("timeout", &S::timeout, duration(10ms, 30s), "of one look-up"),
              }),
              checked_service);
}

// "20/s". 0/s: no limit.
Parsed<std::uint64_t> parse_rate(const std::string& text) {
  std::uint64_t count = 0;
  const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), count);
  constexpr std::uint64_t most = 1'000'000;
  if (fault != std::errc{} || std::string_view(rest) != "/s" || count > most) {
    return Fault{quoted(text) + " is no rate", "write 20/s; 0/s is no limit"};
  }
  return count;
}

Reader<BudgetSettings> budget_reader() {
  using B = BudgetSettings;
  const auto rate = parsed<std::uint64_t>("a rate such as 20/s", parse_rate);
  return object<B>({
      key("per_ip", &B::per_address, rate, "for one client address"),
      key("total", &B::total, rate, "for all"),
  });
}

std::optional<ResolutionSettings> checked_resolution(const Value& value, ResolutionSettings resolution) {
  const auto service = value.member("service");
  if (!service && !value.member("store")) {
    value.complain("who knows the keys is missing",
                   "write store: {path: keygate.db} for the embedded store, or service: {url: https://...}");
  }
  if (service && value.member("store")) service->complain("\"service\" and \"store\" stand here", "write one of both");
  return resolution;
}

}  // namespace

Reader<ResolutionSettings> resolution_reader() {
  using R = ResolutionSettings;
  return then(object<R>({
                  key("staleness_bound", &R::staleness_bound, duration(1s, 24h),
                      "the longest a revoked key may still be honoured"),
                  key("memory", &R::memory, memory_reader(), "what each worker remembers"),
                  key("redis", &R::redis, redis_reader(), "the cache that proxies share"),
                  key("service", &R::service, service_reader(), "the key service"),
                  key("store", &R::store, store_reader(), "the embedded store"),
                  key("stale_if_error", &R::stale_if_error, duration(0s, 5min),
                      "how far past the bound known keys serve in an outage"),
                  key("unknown_key_budget", &R::unknown_key_budget, budget_reader(), "look-ups of never-seen keys"),
              }),
              checked_resolution);
}

namespace {

// It becomes X-Key-Id.
Parsed<std::string> parse_identity(const std::string& text) {
  constexpr std::string_view known = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:@|+=-";
  constexpr std::size_t longest = 128;
  if (text.size() > longest || text.find_first_not_of(known) != std::string::npos) {
    return Fault{quoted(text) + " is no name for a header", "at most 128 letters, digits and _.:@|+=- will do"};
  }
  return text;
}

}  // namespace

Reader<AdminSecretSettings> admin_secret_reader() {
  using A = AdminSecretSettings;
  const auto environment = one_of<Environment>({{"live", Environment::live}, {"test", Environment::test}});
  return then(
      object<A>({
          required(key("name", &A::name, parsed<std::string>("a name", parse_identity), "what the log calls it")),
          key("secret_file", &A::secret, secret_in_file(), "holds the secret"),
          key("secret_env", &A::secret, secret_in_environment(), "holds the secret"),
          key("secret", &A::secret, secret_written_out(), "the secret"),
          required(key("scopes", &A::scopes, list_or_one(text("a scope")), "what it is granted")),
          key("environment", &A::environment, environment, "live or test"),
      }),
      [](const Value& value, A admin) -> std::optional<A> {
        int written = 0;
        for (const char* const name : {"secret_file", "secret_env", "secret"}) {
          written += value.member(name) ? 1 : 0;
        }
        if (written != 1) value.complain("needs exactly one of secret_file, secret_env and secret");
        return admin;
      });
}

Reader<KeyServiceSettings> key_service_reader() {
  using K = KeyServiceSettings;
  return object<K>({
      key("token_file", &K::token, secret_in_file(), "verifies keys and reports use"),
      key("manage_token_file", &K::manage_token, secret_in_file(), "of a proxy whose customers manage their own keys"),
      key("admin_token_file", &K::admin_token, secret_in_file(), "may do everything"),
  });
}

}  // namespace keygate::config
