// What a route of a draft asks of its caller, and how several demands become one that is never weaker. Pure; for
// policy_draft.
#pragma once

#include <string>
#include <vector>

namespace keygate::app {

// The scopes of a caller that passes: all of `all`, and where `any` is not empty, one of it.
struct ScopesNeeded {
  std::vector<std::string> all, any;  // sorted
  auto operator<=>(const ScopesNeeded&) const = default;
};

struct Demand {
  enum class Access { nobody, open, optional, required };
  Access access = Access::nobody;
  bool by_key = false, by_session = false;
  ScopesNeeded scopes;
  auto operator<=>(const Demand&) const = default;
};

using ScopeNames = std::vector<std::string>;

struct Joined {
  ScopesNeeded scopes;
  bool is_stricter = false;  // than one of the sets would be
};

// Whoever has these scopes has all of one of `sets`, of which there is at least one.
Joined needed_for_one_of(std::vector<ScopeNames> sets);

// Whoever has these has what either needs.
ScopesNeeded stricter(const ScopesNeeded& one, const ScopesNeeded& other);

// Whoever passes this passes both.
Demand stricter(const Demand& one, const Demand& other);

}  // namespace keygate::app
