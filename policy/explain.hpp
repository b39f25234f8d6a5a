// Why did this route win and that one lose, and what does a key hold by which grant? For people, by way of
// `keygate explain` and `keygate dev`; no other proxy asks. No rule is written down a second time: each criterion is
// asked of a RouteTable that holds nothing but it.
#pragma once

#include "policy/policy.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace keygate::policy {

// In the order in which they rank.
enum class Criterion : std::uint8_t { host, path, method, headers };

std::string_view to_string(Criterion criterion);

// One route before one request: which of its criteria are met.
struct Candidate {
  const Route* route = nullptr;
  const RouteTable::Entry* criteria = nullptr;
  bool host = false, path = false, method = false;
  std::vector<bool> headers;  // one for each condition
  std::size_t missed = 0;     // how many are not met; each header condition is one
  std::size_t depth = 0;      // how many segments of the request's path, from the left, its path agrees with
  std::string slip;           // the literal that may have been meant by the first segment that it does not agree with
  std::size_t rank = 0;       // among those that meet all: 1 is the most specific; 0: misses something
  // Of one that meets all and is not the first: which criterion the first one has the more specific.
  std::optional<Criterion> lost_by;
};

struct Candidates {
  std::vector<Candidate> all;     // by relevance: who meets all by rank, then who misses least
  const Route* winner = nullptr;  // what the policy's own table says
  // Where routes meet all and yet none governs: the one whose literal segment this path spells in another way.
  const Route* respelled = nullptr;
};

Candidates explain_match(const Policy& policy, const MatchInput& input);

// What one grant of a key comes to by itself.
struct GrantShare {
  std::string grant;
  std::vector<std::size_t> scopes;  // catalogue numbers, in order
  bool is_listed = true;            // false: it names nothing in the catalogue, and is ignored
};

std::vector<GrantShare> explain_grants(const Catalogue& catalogue, std::span<const std::string> granted);

// The names of `set`, in catalogue order.
std::vector<std::string> names_of(const Catalogue& catalogue, const ScopeSet& set);

// What is in `needed` and not in `held`.
ScopeSet missing_scopes(const ScopeSet& needed, const ScopeSet& held);

}  // namespace keygate::policy
