// What a look-up would find of a key or session, as somebody says it: `keygate explain` in options, `keygate test` in a
// file.
#pragma once

#include "config/settings.hpp"
#include "policy/principal.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::app {

struct StatedRecord {
  std::optional<std::string> organization, user, key_id;
  std::optional<policy::Environment> environment;
  std::optional<std::vector<std::string>> scopes;

  bool says_something() const { return scopes || organization || user || key_id || environment; }
};

// The record of a valid key. Refusal where a key cannot be so; `dashes` stand before the names of what was said in its
// message.
policy::KeyAnswer record_of(const StatedRecord& stated, std::string_view dashes);

// …and of a session: who it is, and what the configuration grants where the session service names no scopes.
policy::KeyAnswer session_of(const StatedRecord& stated, const config::Settings& settings, std::string_view dashes);

}  // namespace keygate::app
