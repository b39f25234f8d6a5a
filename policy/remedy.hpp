// What would have to change for a refused request to pass? In sentences for people, by way of `keygate explain`: they
// name what a key holds, so they are no part of any answer to a client.
#pragma once

#include "policy/decide.hpp"
#include "policy/explain.hpp"

#include <string>
#include <vector>

namespace keygate::policy {

struct Refused {
  const Policy& policy;
  const MatchInput& input;
  const Candidates& candidates;
  const Caller& caller;
  Reason reason;
};

// Empty: the public sentence of the reason says it all.
std::vector<std::string> remedies(const Refused& refused);

}  // namespace keygate::policy
