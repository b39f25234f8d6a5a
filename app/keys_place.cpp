#include "app/keys_place.hpp"

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

std::vector<std::string> names_in(const policy::Catalogue& catalogue) {
  std::vector<std::string> names(catalogue.size());
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = catalogue[i].name;
  return names;
}

bool is_listed(const policy::Catalogue& catalogue, const std::string& scope) {
  if (scope == "*" || catalogue.find(scope)) return true;
  if (!scope.ends_with(":*")) return false;
  const std::string resource = scope.substr(0, scope.size() - 1);
  return std::ranges::any_of(names_in(catalogue), [&](const std::string& name) { return name.starts_with(resource); });
}

// Why `scope` may not be granted; empty: it may.
std::string scope_fault(const policy::Catalogue* catalogue, const std::string& scope, Restricted restricted) {
  if (!policy::is_grant_name(scope)) return "invalid_scope: " + quoted(scope) + " is not a scope name";
  if (catalogue == nullptr) return {};
  if (!is_listed(*catalogue, scope)) {
    const std::string near = config::nearest_word(scope, names_in(*catalogue));
    return "invalid_scope: " + quoted(scope) + " is not in the catalogue" +
           (near.empty() ? "" : "; did you mean " + quoted(near) + "?");
  }
  const std::optional<std::size_t> number = catalogue->find(scope);
  if (number && (*catalogue)[*number].restricted && restricted == Restricted::refused) {
    return "restricted_scope: " + quoted(scope) + " is restricted; --allow-restricted grants it";
  }
  return {};
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

KeysPlace find_place(const std::string& store, const std::string& config) {
  KeysPlace place{store, nullptr};
  if (config.empty()) {
    if (store.empty())
      throw Refusal{2, "name the key store with --store FILE, or a configuration that does with -c FILE"};
    return place;
  }
  const config::Loaded loaded = config::load_file(config);
  if (!loaded.settings) refuse(loaded.problems);
  place.settings = loaded.settings;
  if (place.store.empty()) {
    if (!loaded.settings->resolution.store)
      throw Refusal{1, config + " has no resolution.store; name one with --store FILE"};
    place.store = loaded.settings->resolution.store->path;
  }
  return place;
}

void check_scopes(const KeysPlace& place, const std::vector<std::string>& scopes, Restricted restricted) {
  policy::Compiled compiled;
  if (place.settings) {
    compiled = policy::compile(*place.settings);
    if (!compiled.policy) refuse(compiled.problems);
  }
  const policy::Catalogue* catalogue = compiled.policy ? &compiled.policy->catalogue : nullptr;
  std::string faults;
  for (const std::string& scope : scopes) {
    const std::string fault = scope_fault(catalogue, scope, restricted);
    if (!fault.empty()) faults += (faults.empty() ? "" : "\n") + fault;
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
