// As what else may an upstream read a path that `paths` took as it stands? One that decodes %2F, or reads parameters
// behind a semicolon, sees another path than the one that was matched. Where a route that asks for more governs what it
// sees, nobody passes (docs/threats.md, P-03 and P-05).
#pragma once

#include "policy/policy.hpp"

#include <optional>
#include <string>

namespace keygate::policy {

struct Reading {
  std::string path;              // what such an upstream sees; canonical, unless it is a path that is refused
  const Route* route = nullptr;  // who governs that; the one that matched, where its parameters would stand elsewhere;
                                 // null: such a path is refused
};

// The first reading of `input`'s path under which more is asked than by `route`, which matched it as it stands. Pure;
// allocates only for a path with "%2F" or ";" in it, which there is none of unless `policy.paths` says so.
std::optional<Reading> stricter_reading(const Policy& policy, const Route& route, const MatchInput& input);

}  // namespace keygate::policy
