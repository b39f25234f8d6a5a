// One case of `keygate test`: the request, rehearsed, beside what was expected of it.
#pragma once

#include "config/cases.hpp"
#include "proxy/snapshot.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace keygate::app {

struct CaseResult {
  // What became of it.
  std::string code;      // ok: granted
  int status = 0;        // of a denial
  std::string route;     // empty: none
  std::string upstream;  // of a grant
  // One for each expectation that was not met: "code is ok, not insufficient_scope".
  std::vector<std::string> differences;

  bool has_passed() const { return differences.empty(); }
};

// Codes, routes and upstreams that there are not, which no request could ever be answered with.
config::Problems problems_in(const config::CaseTable& table, const proxy::Snapshot& snapshot);

// At `now` in unix seconds. Refusal where the case cannot be tried: a credential that the configuration has no place
// for, or nothing said of one that the request carries.
CaseResult run_case(const config::PolicyCase& one, const proxy::Snapshot& snapshot, std::int64_t now);

}  // namespace keygate::app
