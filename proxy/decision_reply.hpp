// What a decision service answers with where a request may pass; a refusal is answered as any other (proxy/reply).
// Pure.
#pragma once

#include "policy/decide.hpp"
#include "proxy/snapshot.hpp"

#include <string>
#include <string_view>

namespace keygate::proxy {

struct DecisionFacts {
  std::string_view path;  // canonical
  std::string_view request_id;
  std::string_view rate_fields;  // whole lines, where a rate limit has judged
  bool is_degraded = false;      // identified by what is older than the staleness bound
  bool closes = false;
};

// 200, with every header that an upstream might be sent in place of the client's: all that identify, and all that any
// route sets. Empty where there is nothing to say: whoever copies them over the client's own leaves none of those.
std::string write_decision(const Snapshot& snapshot, const policy::Grant& grant, const DecisionFacts& facts);

}  // namespace keygate::proxy
