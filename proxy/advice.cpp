#include "proxy/advice.hpp"

#include "policy/explain.hpp"
#include "policy/remedy.hpp"

namespace keygate::proxy {

std::string advice(const policy::Policy& policy, const policy::MatchInput& input, const policy::Caller& caller,
                   policy::Reason reason) {
  const policy::Candidates candidates = policy::explain_match(policy, input);
  std::string line;
  for (const std::string& remedy : policy::remedies({policy, input, candidates, caller, reason})) {
    line += (line.empty() ? "" : "; ") + remedy;
  }
  return line;
}

}  // namespace keygate::proxy
