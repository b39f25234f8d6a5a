// What `keygate dev` prints and serves: its key, its starter policy, and two lines to try. Pure.
#pragma once

#include "config/settings.hpp"

#include <string>
#include <string_view>

namespace keygate::app {

// The development key: known to everybody, so good for nothing but a loopback listener on a developer's machine.
std::string development_key();

inline constexpr std::string_view development_organization = "dev-org";
inline constexpr std::string_view development_user = "dev-user";

// Routes for the built-in echo upstream; the documentation's first policy.
std::string_view starter_policy();

// Two lines for a shell: the first request is refused for want of a key, the second is granted with the development
// key. They use the first route of `policy` that needs an API key; empty where there is none.
struct TryLines {
  std::string refused;
  std::string granted;
};
TryLines try_lines(const config::PolicyDocument& policy, const std::string& address);

}  // namespace keygate::app
