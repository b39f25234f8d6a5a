#include "app/scope_choice.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace keygate::app {
namespace {

using policy::Catalogue;
using policy::ScopeSet;
using Numbers = std::vector<std::size_t>;

constexpr std::size_t most_weighed = 12;

std::vector<std::string> names_of(const Catalogue& catalogue, const Numbers& scopes) {
  std::vector<std::string> names;
  for (const std::size_t scope : scopes) names.push_back(catalogue[scope].name);
  return names;
}

ScopeSet held_by(const Catalogue& catalogue, const Numbers& scopes) {
  return catalogue.expand(names_of(catalogue, scopes)).set;
}

Numbers numbers_in(const Catalogue& catalogue, const ScopeSet& set) {
  Numbers numbers;
  for (std::size_t scope = 0; scope < catalogue.size(); ++scope) {
    if (set.has(scope)) numbers.push_back(scope);
  }
  return numbers;
}

bool opens_all(const ScopeSet& held, const std::vector<ScopeSet>& choices) {
  return std::ranges::all_of(choices, [&](const ScopeSet& any) { return held.meets(any); });
}

// Fewer is better; then fewer restricted ones; then what stands first in the catalogue.
Numbers weighed(const Catalogue& catalogue, const Numbers& candidates, const std::vector<ScopeSet>& choices) {
  Numbers best;
  std::size_t best_cost = SIZE_MAX;
  for (std::uint32_t pick = 1; pick < (1U << candidates.size()); ++pick) {
    Numbers scopes;
    std::size_t cost = static_cast<std::size_t>(std::popcount(pick)) * (candidates.size() + 1);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if ((pick >> i & 1U) == 0) continue;
      scopes.push_back(candidates[i]);
      cost += catalogue[candidates[i]].restricted ? 1 : 0;
    }
    const bool is_better = cost < best_cost || (cost == best_cost && scopes < best);
    if (is_better && opens_all(held_by(catalogue, scopes), choices)) {
      best = scopes;
      best_cost = cost;
    }
  }
  return best;
}

Numbers taken_one_by_one(const Catalogue& catalogue, const Numbers& candidates, std::vector<ScopeSet> choices) {
  Numbers taken;
  while (!choices.empty()) {
    const auto served = [&](std::size_t scope) {
      const ScopeSet held = held_by(catalogue, {scope});
      return std::ranges::count_if(choices, [&](const ScopeSet& any) { return held.meets(any); });
    };
    const auto best = std::ranges::max_element(candidates, [&](std::size_t a, std::size_t b) {
      return std::pair(served(a), !catalogue[a].restricted) < std::pair(served(b), !catalogue[b].restricted);
    });
    taken.push_back(*best);
    const ScopeSet held = held_by(catalogue, {*best});
    std::erase_if(choices, [&](const ScopeSet& any) { return held.meets(any); });
  }
  return taken;
}

// Without those that the others bring anyway.
Numbers without_implied(const Catalogue& catalogue, Numbers scopes) {
  for (std::size_t i = scopes.size(); i-- > 0;) {
    Numbers others = scopes;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    if (held_by(catalogue, others).has(scopes[i])) scopes = std::move(others);
  }
  return scopes;
}

}  // namespace

std::vector<std::string> smallest_scopes(const Catalogue& catalogue, const std::vector<RouteScopes>& routes) {
  ScopeSet needed;
  for (const RouteScopes& route : routes) needed |= route.all;
  Numbers scopes = numbers_in(catalogue, needed);
  const ScopeSet held = held_by(catalogue, scopes);
  std::vector<ScopeSet> choices;
  ScopeSet offered;
  for (const RouteScopes& route : routes) {
    if (route.any.empty() || held.meets(route.any)) continue;
    choices.push_back(route.any);
    offered |= route.any;
  }
  if (!choices.empty()) {
    const Numbers candidates = numbers_in(catalogue, offered);
    const Numbers chosen = candidates.size() <= most_weighed ? weighed(catalogue, candidates, choices)
                                                             : taken_one_by_one(catalogue, candidates, choices);
    scopes.insert(scopes.end(), chosen.begin(), chosen.end());
    std::ranges::sort(scopes);
  }
  return names_of(catalogue, without_implied(catalogue, std::move(scopes)));
}

}  // namespace keygate::app
