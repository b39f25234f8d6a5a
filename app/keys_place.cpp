#include "app/keys_place.hpp"

#include "app/prepare.hpp"
#include "config/loader.hpp"
#include "config/problem.hpp"
#include "keys/key_format.hpp"
#include "policy/scopes.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace keygate::app {

namespace {

constexpr const char* default_prefix = "kg_";

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

[[noreturn]] void refuse(const config::Problems& problems) {
  std::string text;
  for (const config::Problem& problem : problems) {
    if (problem.severity == config::Severity::error) text += (text.empty() ? "" : "\n") + config::render(problem);
  }
  throw Refusal{1, std::move(text)};
}

std::string said(const ScopeFault& fault) {
  if (fault.kind != ScopeFault::Kind::restricted) return "invalid_scope: " + fault.sentence;
  return "restricted_scope: " + fault.sentence + "; --allow-restricted grants it";
}

std::string prefix_from(const config::Settings& settings, policy::Environment environment) {
  const auto& formats = settings.credentials.formats;
  if (formats.empty()) return default_prefix;
  const auto fitting = std::ranges::find(formats, environment, &config::KeyFormatSettings::environment);
  if (fitting != formats.end()) return fitting->prefix;
  throw Refusal{1, "no key format in " + settings.file + " is for " +
                       (environment == policy::Environment::none
                            ? std::string("keys without an environment; name one with --environment")
                            : "environment " + std::string(policy::to_string(environment)))};
}

// What a proxy would say of a key with this prefix.
policy::Environment environment_from(const config::Settings& settings, const std::string& prefix) {
  std::optional<policy::Environment> environment;
  try {
    const keys::Secret sample = keys::generate_key(prefix);
    environment = keys::KeyFormats(settings.credentials.formats).fit(sample.view());
  } catch (const std::invalid_argument&) {
    throw Refusal{2, "--prefix " + quoted(prefix) + ": a prefix is 1 to 10 of [A-Za-z0-9_]"};
  }
  if (environment) return *environment;
  throw Refusal{1, "a key that starts with " + quoted(prefix) + " fits no format in " + settings.file};
}

}  // namespace

std::string_view rule_for(std::string_view field) {
  if (field == "name") return "at most 100 bytes of UTF-8 without control characters";
  if (field == "prefix") return "1 to 10 of [A-Za-z0-9_]";
  if (field == "scopes") return "1 to 256 scope names";
  if (field == "expires_at") return "a time ahead";
  if (field == "allowed_cidrs") return "1 to 64 address blocks such as 10.0.0.0/8, without bits past their prefix";
  if (field == "rate_limit") return "1 to 1000000 requests in 1s to 1d, at most 10000 a second";
  return "1 to 128 of [A-Za-z0-9_.:@|+=-]";
}

KeysPlace find_place(const std::string& store, const std::string& config) {
  KeysPlace place{store, nullptr};
  if (config.empty()) {
    if (store.empty())
      throw Refusal{2, "name the key store with --store FILE, or a configuration that does with -c FILE"};
    return place;
  }
  const config::Loaded loaded = load_by_guess(config).loaded;
  if (!loaded.settings) refuse(loaded.problems);
  place.settings = loaded.settings;
  if (place.store.empty()) {
    if (!loaded.settings->resolution.store)
      throw Refusal{1, config + " has no resolution.store; name one with --store FILE"};
    place.store = loaded.settings->resolution.store->path;
  }
  return place;
}

std::shared_ptr<const policy::Policy> policy_of(const KeysPlace& place) {
  if (!place.settings) return nullptr;
  const bool is_key_server = place.settings->upstreams.empty();
  const policy::Compiled compiled =
      is_key_server ? policy::compile_catalogue_alone(*place.settings) : policy::compile(*place.settings);
  if (!compiled.policy) refuse(compiled.problems);
  return compiled.policy;
}

void check_scopes(const KeysPlace& place, const std::vector<std::string>& scopes, Restricted restricted) {
  const std::shared_ptr<const policy::Policy> policy = policy_of(place);
  const policy::Catalogue* catalogue = policy ? &policy->catalogue : nullptr;
  std::string faults;
  for (const std::string& scope : scopes) {
    const auto fault = scope_fault(catalogue, scope, restricted);
    if (fault) faults += (faults.empty() ? "" : "\n") + said(*fault);
  }
  if (!faults.empty()) throw Refusal{1, std::move(faults)};
}

void settle_prefix(const KeysPlace& place, keys::NewKey& key) {
  if (!place.settings) {
    if (key.prefix.empty()) key.prefix = default_prefix;
    return;
  }
  if (key.prefix.empty()) key.prefix = prefix_from(*place.settings, key.environment);
  const policy::Environment environment = environment_from(*place.settings, key.prefix);
  if (environment == policy::Environment::none) return;
  if (key.environment == policy::Environment::none) key.environment = environment;
  if (key.environment == environment) return;
  throw Refusal{1, "keys that start with " + quoted(key.prefix) + " are for environment " +
                       std::string(policy::to_string(environment)) + " in " + place.settings->file};
}

}  // namespace keygate::app
