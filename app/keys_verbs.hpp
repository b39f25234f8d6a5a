// What each verb of `keygate keys` does, once its options are read. Results go to `out`, talk to `talk`; a verb that
// cannot be done throws a Refusal.
#pragma once

#include "app/keys_place.hpp"
#include "keys/store.hpp"

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

namespace keygate::app {

enum class Form { text, json };

// Where a verb speaks, and when it is: `now` is unix seconds.
struct KeysRun {
  std::ostream& out;
  std::ostream& talk;
  std::int64_t now;
  Form form;
};

struct CreateRequest {
  keys::NewKey key;
  Restricted restricted = Restricted::refused;
};

void create_key(const KeysRun& run, const KeysPlace& place, CreateRequest request);
void list_keys(const KeysRun& run, const KeysPlace& place, const std::optional<std::string>& organization);
void show_key(const KeysRun& run, const KeysPlace& place, const std::string& id);
void rotate_key(const KeysRun& run, const KeysPlace& place, const std::string& id, std::int64_t grace);
void revoke_key(const KeysRun& run, const KeysPlace& place, const std::string& id);
void report_keys(const KeysRun& run, const KeysPlace& place, const std::optional<std::string>& organization);

}  // namespace keygate::app
