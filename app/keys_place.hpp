// Where `keygate keys` works: which store file, and what the configuration, where one is named, says of scopes and
// prefixes.
#pragma once

#include "app/key_scopes.hpp"
#include "config/settings.hpp"
#include "keys/store.hpp"
#include "policy/policy.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::app {

// Why a verb ends early: said on stderr, with this exit status. Thrown by the functions below, caught where the verb
// runs.
struct Refusal {
  int status = 1;  // 1: what was checked failed; 2: wrong usage
  std::string message;
};

struct KeysPlace {
  std::string store;                                 // path of the file
  std::shared_ptr<const config::Settings> settings;  // null: no configuration was named
};

// From --store and -c as they were given, each perhaps empty. Refusal where neither gives a path, or the configuration
// is wrong.
KeysPlace find_place(const std::string& store, const std::string& config);

// The compiled policy of the configuration; null: none was named. Refusal where it is wrong.
std::shared_ptr<const policy::Policy> policy_of(const KeysPlace& place);

// Refusal where one of `scopes` may not be granted: no scope name, not in the catalogue of the configuration's policy,
// or restricted and not allowed.
void check_scopes(const KeysPlace& place, const std::vector<std::string>& scopes, Restricted restricted);

// Fills in what was not asked for: an empty prefix, an environment of none. Refusal where a proxy with this
// configuration would not take such a key.
void settle_prefix(const KeysPlace& place, keys::NewKey& key);

// What the field that keys::unfit_field names has to be.
std::string_view rule_for(std::string_view field);

}  // namespace keygate::app
