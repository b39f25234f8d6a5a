#include "app/commands.hpp"
#include "app/key_server.hpp"
#include "app/key_tokens.hpp"
#include "app/keys_help.hpp"
#include "app/prepare.hpp"
#include "app/problem_print.hpp"
#include "app/server.hpp"
#include "config/address.hpp"
#include "keys/redis_revocations.hpp"
#include "keys/secrets.hpp"
#include "telemetry/log.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace keygate::app {
namespace {

struct KeyServerOptions {
  std::string config;
  std::string store, listen = "127.0.0.1:8081", token_file, manage_token_file, admin_token_file;
};

// Says on stderr what is wrong; null then.
std::shared_ptr<const ApiRules> with_tokens(std::shared_ptr<ApiRules> rules) {
  auto tokens = KeyTokens::read(rules->settings->key_service);
  if (const auto* fault = std::get_if<config::Fault>(&tokens)) {
    std::cerr << "keygate: " << fault->message << (fault->hint.empty() ? "" : "; " + fault->hint) << "\n";
    return nullptr;
  }
  rules->tokens = std::get<KeyTokens>(std::move(tokens));
  return rules;
}

// `files`: what was read, whatever came of it.
std::shared_ptr<const ApiRules> rules_in(const std::string& file, config::FileStates& files) {
  config::LoadOptions options;
  options.purpose = config::Purpose::key_server;
  PreparedKeyServer prepared = prepare_key_server(config::load_file(file, options));
  files = std::move(prepared.files);
  print_problems(std::cerr, prepared.problems);
  if (!prepared.settings) {
    std::cerr << "keygate: the configuration has faults\n";
    return nullptr;
  }
  auto rules = std::make_shared<ApiRules>();
  rules->settings = std::move(prepared.settings);
  rules->policy = std::move(prepared.policy);
  return with_tokens(std::move(rules));
}

std::optional<config::SecretSettings> token_in(const std::string& file) {
  if (file.empty()) return std::nullopt;
  return config::SecretSettings{config::SecretSettings::Kind::file, file, {}};
}

// Without a configuration: defaults, and no catalogue.
std::shared_ptr<const ApiRules> rules_from(const KeyServerOptions& options) {
  const auto address = config::parse_listener_address(options.listen);
  if (const auto* fault = std::get_if<config::Fault>(&address)) {
    std::cerr << "keygate: --listen: " << fault->message << "\n";
    return nullptr;
  }
  config::Settings settings;
  settings.listeners.push_back(std::get<config::ListenerSettings>(address));
  settings.resolution.store = config::StoreSettings{options.store, {}};
  settings.key_service = {token_in(options.token_file), token_in(options.manage_token_file),
                          token_in(options.admin_token_file)};
  settings.limits.drain_delay = std::chrono::milliseconds{0};
  auto rules = std::make_shared<ApiRules>();
  rules->settings = std::make_shared<const config::Settings>(std::move(settings));
  return with_tokens(std::move(rules));
}

// Redis, by way of which proxies hear of changes.
struct RedisAccess {
  keys::RedisLinkSettings link;
  std::vector<std::string> signing_keys;
  std::chrono::milliseconds bound;
};

// Says on stderr what is wrong; nullopt then.
std::optional<RedisAccess> redis_access(const config::Settings& settings) {
  config::Problems problems;
  keys::Secrets secrets = keys::read_secrets(settings, problems);
  print_problems(std::cerr, problems);
  if (config::has_errors(problems)) return std::nullopt;
  return RedisAccess{{*settings.resolution.redis, std::move(secrets.redis_password)},
                     std::move(secrets.signing_keys),
                     settings.resolution.staleness_bound};
}

// What a configuration makes of a server, and makes anew of it at a reload.
class Configured {
 public:
  explicit Configured(std::string file) : file_(std::move(file)) {}

  std::shared_ptr<const ApiRules> load() { return rules_in(file_, files_); }
  const config::FileStates& files() const { return files_; }

  std::unique_ptr<keys::RevocationSink> make_sink(net::io_context& io, const RedisAccess& access) {
    auto made = std::make_unique<keys::RedisRevocations>(io, access.link, access.signing_keys, access.bound);
    redis_ = made.get();
    return made;
  }

  // All or nothing: everything that can fail has been done before anything is changed.
  std::shared_ptr<const ApiRules> reload() {
    if (const std::string* const irregular = config::irregular_among(files_)) {
      std::cerr << "keygate: " << *irregular << " is no file that can be read again\n";
      return nullptr;
    }
    auto rules = load();
    if (!rules) return nullptr;
    const bool has_redis = rules->settings->resolution.redis.has_value();
    if (has_redis != (redis_ != nullptr)) {
      std::cerr << "keygate: resolution.redis has come or gone: that needs a restart\n";
      return nullptr;
    }
    if (!has_redis) return rules;
    auto access = redis_access(*rules->settings);
    if (!access) return nullptr;
    redis_->apply(access->link, std::move(access->signing_keys), access->bound);
    return rules;
  }

 private:
  const std::string file_;
  config::FileStates files_;
  keys::RedisRevocations* redis_ = nullptr;  // the server's, which reloads no more once it has gone
};

int serve_keys(const KeyServerOptions& options) {
  const bool has_token =
      !options.token_file.empty() || !options.manage_token_file.empty() || !options.admin_token_file.empty();
  if (options.config.empty() && (options.store.empty() || !has_token)) {
    std::cerr << "keygate: name a configuration with -c FILE, or a store and a token: "
                 "--store FILE --token-file FILE --admin-token-file FILE\n";
    return 2;
  }
  if (!options.config.empty() && (!options.store.empty() || has_token)) {
    std::cerr << "keygate: store and tokens stand in the configuration: write -c FILE alone\n";
    return 2;
  }
  KeyServer::Parts parts;
  const auto configured = std::make_shared<Configured>(options.config);
  parts.rules = options.config.empty() ? rules_from(options) : configured->load();
  if (!parts.rules) return 1;
  if (!options.config.empty()) {
    parts.reload = [configured] { return configured->reload(); };
    parts.files = [configured] { return configured->files(); };
  }
  configure_logging(*parts.rules->settings);
  if (parts.rules->settings->resolution.redis) {
    const auto access = redis_access(*parts.rules->settings);
    if (!access) return 1;
    parts.make_sink = [configured, access = *access](net::io_context& io) { return configured->make_sink(io, access); };
  }
  KeyServer server(std::move(parts));
  if (const auto fault = server.start()) {
    std::cerr << "keygate: " << *fault << "\n";
    return 1;
  }
  return server.run();
}

}  // namespace

void add_key_server(CLI::App& root, int& status) {
  const auto options = std::make_shared<KeyServerOptions>();
  CLI::App& verb = *root.add_subcommand("keyserver", "Serve keys to many proxies");
  verb.add_option("-c,--config", options->config, "Its configuration; a change, or SIGHUP, has it read again");
  verb.add_option("--store", options->store, "Without a configuration: the key store's file; any scope may be granted");
  verb.add_option("--listen", options->listen, "Without a configuration: where it listens")->capture_default_str();
  verb.add_option("--token-file", options->token_file, "Holds the token that proxies verify keys with");
  verb.add_option("--manage-token-file", options->manage_token_file,
                  "Holds the token of a proxy whose customers manage their own keys");
  verb.add_option("--admin-token-file", options->admin_token_file, "Holds the token that may do everything");
  verb.callback([options, &status] { status = serve_keys(*options); });
  begin_help_with(verb,
                  "keygate keyserver -c keyserver.yaml\n"
                  "keygate keyserver --store keygate.db --token-file proxy.token --admin-token-file admin.token\n");
}

}  // namespace keygate::app
