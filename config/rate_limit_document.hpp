// One limit of a route as it was written: `{limit: 600, window: 1m, per: key}`. Read by policy::compile.
#pragma once

#include "config/problem.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace keygate::config {

struct RateLimitDocument {
  Position where;
  std::uint64_t limit = 0;
  std::chrono::milliseconds window{0};
  std::vector<Located<std::string>> per;  // key, organization, ip; several: of each combination
};

}  // namespace keygate::config
