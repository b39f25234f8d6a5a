// What would have to change for this refused request to pass, in a line? It names what a key holds, so it is for the
// developer alone who runs `keygate dev`: no answer has it, and no other proxy works it out.
#pragma once

#include "policy/decide.hpp"
#include "policy/policy.hpp"

#include <string>

namespace keygate::proxy {

// Empty: the code says it all.
std::string advice(const policy::Policy& policy, const policy::MatchInput& input, const policy::Caller& caller,
                   policy::Reason reason);

}  // namespace keygate::proxy
