// What each verb of `keygate keys` does at a running key server. Shown as from the embedded store.
#pragma once

#include "app/key_client.hpp"
#include "app/keys_verbs.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace keygate::app {

// `expires_in`: seconds. The service checks scopes, formats and prefixes by its own configuration.
struct RemoteCreate {
  keys::NewKey key;
  std::optional<std::int64_t> expires_in;
};

void create_key(const KeysRun& run, const KeyServicePlace& place, const RemoteCreate& request);
void list_keys(const KeysRun& run, const KeyServicePlace& place, const std::string& organization);
void show_key(const KeysRun& run, const KeyServicePlace& place, const std::string& id);
void rotate_key(const KeysRun& run, const KeyServicePlace& place, const std::string& id, std::int64_t grace);
void revoke_key(const KeysRun& run, const KeyServicePlace& place, const std::string& id);
void report_keys(const KeysRun& run, const KeyServicePlace& place, const std::string& organization);

}  // namespace keygate::app
