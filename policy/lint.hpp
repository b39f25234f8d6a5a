// What in a policy is no fault, and yet hardly meant? Asked by `keygate lint` of a policy that has been compiled; what
// a route would do is asked of the policy's own table. Pure.
#pragma once

#include "config/settings.hpp"
#include "policy/policy.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::policy {

struct Finding {
  // A note may well be meant; a warning hardly is.
  enum class Weight : std::uint8_t { note, warning };
  Weight weight = Weight::warning;
  std::string_view code;  // a word that stays: never-matches
  config::Position where;
  std::string route;    // its name; empty: it is about none
  std::string message;  // one clause, and in hint what to do
  std::string hint;
};

using FindingList = std::vector<Finding>;

std::string_view to_string(Finding::Weight weight);

// never-matches, partly-shadowed, scope-never-required, write-by-read-scope, any-credential (docs/linting.md), in the
// order of the file. `settings` are those that `policy` was compiled from.
FindingList lint(const config::Settings& settings, const Policy& policy);

// By file, line, column and code.
void sort_by_place(FindingList& findings);

}  // namespace keygate::policy
