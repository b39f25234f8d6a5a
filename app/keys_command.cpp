#include "app/commands.hpp"
#include "app/keys_help.hpp"
#include "app/keys_remote.hpp"
#include "app/keys_verbs.hpp"
#include "config/quantity.hpp"
#include "keys/restrictions.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace keygate::app {

namespace {

// The proxy's clock: time(2) may lag it by a tick, and a key that has just expired would still be listed as valid.
std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// The options of all verbs; each verb reads those it has registered.
struct KeysOptions {
  std::string store, config;
  std::string service, token_file, ca_file;
  bool is_json = false;
  std::string id;
  std::string organization, user, environment, prefix, name;
  std::vector<std::string> scopes;
  std::string expires_in;
  std::vector<std::string> allowed_cidrs;
  std::string rate_limit;
  std::string grace = "24h";
  bool allow_restricted = false;
};

using Options = std::shared_ptr<KeysOptions>;  // lives as long as the callbacks that hold it

// In the embedded store, or at a running key server.
struct Verb {
  std::function<void(const KeysRun&, const KeysPlace&, const KeysOptions&)> local;
  std::function<void(const KeysRun&, const KeyServicePlace&, const KeysOptions&)> remote;
};

std::int64_t seconds_in(const std::string& duration) {
  const auto parsed = config::parse_duration(duration).value_or(std::chrono::milliseconds{0});
  return std::chrono::duration_cast<std::chrono::seconds>(parsed).count();
}

CLI::Validator whole_seconds(std::chrono::seconds least) {
  return CLI::Validator(
      [least](std::string& text) {
        const auto duration = config::parse_duration(text);
        const bool is_fit = duration && *duration >= least && duration->count() % 1'000 == 0;
        return is_fit ? std::string() : "\"" + text + "\" is not a duration in whole seconds such as 90d, 24h or 30s";
      },
      "DURATION");
}

// `what`: an example of it.
CLI::Validator fits(bool (*fit)(const std::string&), const std::string& what) {
  return CLI::Validator(
      [fit, what](std::string& text) { return fit(text) ? std::string() : "\"" + text + "\" is not " + what; }, "");
}

int run_verb(const Verb& verb, const KeysOptions& options) {
  const KeysRun run{std::cout, std::cerr, now(), options.is_json ? Form::json : Form::text};
  try {
    if (options.service.empty()) {
      verb.local(run, find_place(options.store, options.config), options);
    } else if (options.store.empty() && options.config.empty()) {
      const KeyServicePlace place = find_service(options.service, options.token_file, options.ca_file);
      if (const std::string warning = clear_text_warning(place); !warning.empty()) run.talk << warning << '\n';
      verb.remote(run, place, options);
    } else {
      throw Refusal{2, "--service keeps its own store and configuration: name it alone"};
    }
  } catch (const Refusal& refusal) {
    std::cerr << refusal.message << '\n';
    return refusal.status;
  }
  std::cout.flush();
  return std::cout ? 0 : 1;
}

CLI::App& add_verb(CLI::App& keys, int& status, const std::string& name, const std::string& description,
                   const Options& options, Verb verb) {
  CLI::App& added = *keys.add_subcommand(name, description);
  added.add_option("--store", options->store, "The key store's file; default: resolution.store of the configuration");
  added.add_option("-c,--config", options->config,
                   "The proxy's configuration; scopes are checked against its catalogue");
  added.add_option("--service", options->service,
                   "A running key server instead: its URL, such as http://127.0.0.1:8081");
  added.add_option("--token-file", options->token_file, "With --service: holds the token it is asked with");
  added.add_option("--ca-file", options->ca_file, "With --service https://: whose certificates are trusted");
  added.add_flag("--json", options->is_json, "Print one JSON object");
  added.callback([&status, options, verb = std::move(verb)] { status = run_verb(verb, *options); });
  return added;
}

void add_organization(CLI::App& verb, const Options& options, const std::string& description) {
  verb.add_option("--organization,--org", options->organization, description);
}

keys::NewKey new_key(const KeysOptions& given) {
  keys::NewKey key;
  key.organization = given.organization;
  key.user = given.user;
  key.name = given.name;
  key.scopes = given.scopes;
  key.prefix = given.prefix;
  for (const std::string& block : given.allowed_cidrs) {
    if (const auto parsed = policy::parse_block(block)) key.restrictions.allowed_from.push_back(*parsed);
  }
  if (!given.rate_limit.empty()) key.restrictions.rate_limit = keys::parse_rate(given.rate_limit);
  if (given.environment == "live") key.environment = policy::Environment::live;
  if (given.environment == "test") key.environment = policy::Environment::test;
  return key;
}

std::optional<std::int64_t> lifetime(const KeysOptions& given) {
  if (given.expires_in.empty()) return std::nullopt;
  return seconds_in(given.expires_in);
}

std::optional<std::string> organization_in(const KeysOptions& given) {
  return given.organization.empty() ? std::nullopt : std::optional(given.organization);
}

void add_create(CLI::App& keys, int& status) {
  const auto options = std::make_shared<KeysOptions>();
  CLI::App& verb = add_verb(keys, status, "create", "Make a key; its text is shown once", options,
                            {[](const KeysRun& run, const KeysPlace& place, const KeysOptions& given) {
                               CreateRequest request{new_key(given), Restricted::refused};
                               const auto seconds = lifetime(given);
                               if (seconds) request.key.expires_at = run.now + *seconds;
                               if (given.allow_restricted) request.restricted = Restricted::allowed;
                               create_key(run, place, std::move(request));
                             },
                             [](const KeysRun& run, const KeyServicePlace& place, const KeysOptions& given) {
                               create_key(run, place, RemoteCreate{new_key(given), lifetime(given)});
                             }});
  add_organization(verb, options, "Whose key it is");
  verb.get_option("--organization")->required();
  verb.add_option("--scopes", options->scopes, "What it may do: scopes with commas between them")
      ->required()
      ->delimiter(',')
      ->allow_extra_args(false);
  verb.add_option("--user", options->user, "The user who holds it");
  verb.add_option("--environment,--env", options->environment, "live or test; default: what its prefix says")
      ->check(CLI::IsMember({"live", "test"}));
  verb.add_option("--prefix", options->prefix, "How it starts; default: that of the environment's key format, or kg_");
  verb.add_option("--name", options->name, "What people call it");
  verb.add_option("--expires-in", options->expires_in, "How long it lives; default: for ever")
      ->check(whole_seconds(std::chrono::seconds{1}));
  verb.add_option("--allow-cidr", options->allowed_cidrs,
                  "From where alone it may be used, such as 10.0.0.0/8; several times for several blocks")
      ->check(fits([](const std::string& text) { return policy::parse_block(text).has_value(); },
                   "an address or a block such as 10.0.0.0/8, without bits past its prefix"))
      ->allow_extra_args(false);
  verb.add_option("--rate-limit", options->rate_limit,
                  "How many requests in which time, on all routes together: 600/1m")
      ->check(fits([](const std::string& text) { return keys::parse_rate(text).has_value(); },
                   "a rate such as 600/1m: 1 to 1000000 requests in 1s to 1d, at most 10000 a second"));
  verb.add_flag("--allow-restricted", options->allow_restricted, "Grant scopes that the catalogue marks as restricted");
  begin_help_with(verb,
                  "keygate keys create -c keygate.yaml --org org_1 --scopes projects:read,projects:write --env test\n"
                  "keygate keys create --store keygate.db --org org_1 --scopes '*' --name CI --expires-in 90d\n");
}

void add_list(CLI::App& keys, int& status) {
  const auto options = std::make_shared<KeysOptions>();
  CLI::App& verb = add_verb(keys, status, "list", "List keys, oldest first", options,
                            {[](const KeysRun& run, const KeysPlace& place, const KeysOptions& given) {
                               list_keys(run, place, organization_in(given));
                             },
                             [](const KeysRun& run, const KeyServicePlace& place, const KeysOptions& given) {
                               list_keys(run, place, given.organization);
                             }});
  add_organization(verb, options, "Only this organization's");
  begin_help_with(verb,
                  "keygate keys list --store keygate.db\n"
                  "keygate keys list -c keygate.yaml --org org_1 --json\n");
}

void add_show(CLI::App& keys, int& status) {
  const auto options = std::make_shared<KeysOptions>();
  CLI::App& verb = add_verb(
      keys, status, "show", "Show one key, without its text", options,
      {[](const KeysRun& run, const KeysPlace& place, const KeysOptions& given) { show_key(run, place, given.id); },
       [](const KeysRun& run, const KeyServicePlace& place, const KeysOptions& given) {
         show_key(run, place, given.id);
       }});
  verb.add_option("KEY_ID", options->id, "Its id, key_…")->required();
  begin_help_with(verb,
                  "keygate keys show --store keygate.db key_0123456789abcdefghij\n"
                  "keygate keys show -c keygate.yaml --json key_0123456789abcdefghij\n");
}

void add_rotate(CLI::App& keys, int& status) {
  const auto options = std::make_shared<KeysOptions>();
  CLI::App& verb = add_verb(keys, status, "rotate", "Make a key like this one, and let this one expire", options,
                            {[](const KeysRun& run, const KeysPlace& place, const KeysOptions& given) {
                               rotate_key(run, place, given.id, seconds_in(given.grace));
                             },
                             [](const KeysRun& run, const KeyServicePlace& place, const KeysOptions& given) {
                               rotate_key(run, place, given.id, seconds_in(given.grace));
                             }});
  verb.add_option("KEY_ID", options->id, "Its id, key_…")->required();
  verb.add_option("--grace", options->grace, "How long the old key still lives; 0s: not at all")
      ->check(whole_seconds(std::chrono::seconds{0}))
      ->capture_default_str();
  begin_help_with(verb,
                  "keygate keys rotate --store keygate.db --grace 24h key_0123456789abcdefghij\n"
                  "keygate keys rotate -c keygate.yaml --grace 0s --json key_0123456789abcdefghij\n");
}

void add_revoke(CLI::App& keys, int& status) {
  const auto options = std::make_shared<KeysOptions>();
  CLI::App& verb = add_verb(
      keys, status, "revoke", "Revoke a key for good; running proxies refuse it within a second", options,
      {[](const KeysRun& run, const KeysPlace& place, const KeysOptions& given) { revoke_key(run, place, given.id); },
       [](const KeysRun& run, const KeyServicePlace& place, const KeysOptions& given) {
         revoke_key(run, place, given.id);
       }});
  verb.add_option("KEY_ID", options->id, "Its id, key_…")->required();
  begin_help_with(
      verb,
      "keygate keys revoke --store keygate.db key_0123456789abcdefghij\n"
      "keygate keys revoke --service http://127.0.0.1:8081 --token-file admin.token key_0123456789abcdefghij\n");
}

void add_report(CLI::App& keys, int& status) {
  const auto options = std::make_shared<KeysOptions>();
  CLI::App& verb = add_verb(keys, status, "report", "Say which scopes each key needs, going by its uses", options,
                            {[](const KeysRun& run, const KeysPlace& place, const KeysOptions& given) {
                               report_keys(run, place, organization_in(given));
                             },
                             [](const KeysRun& run, const KeyServicePlace& place, const KeysOptions& given) {
                               report_keys(run, place, given.organization);
                             }});
  add_organization(verb, options, "Only this organization's");
  begin_help_with(verb,
                  "keygate keys report -c keygate.yaml\n"
                  "keygate keys report --service http://127.0.0.1:8081 --token-file admin.token --org org_1 --json\n");
}

}  // namespace

void add_keys(CLI::App& root, int& status) {
  CLI::App& keys =
      *root.add_subcommand("keys", "Make, list, rotate and revoke keys, in the embedded store or at a key server");
  keys.require_subcommand(1);
  add_create(keys, status);
  add_list(keys, status);
  add_show(keys, status);
  add_rotate(keys, status);
  add_revoke(keys, status);
  add_report(keys, status);
  begin_help_with(keys,
                  "keygate keys create --store keygate.db --org org_1 --scopes projects:read\n"
                  "keygate keys list --store keygate.db\n");
}

}  // namespace keygate::app
