#include "app/demand.hpp"

#include <algorithm>
#include <iterator>

namespace keygate::app {
namespace {

void tidy(ScopeNames& names) {
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
}

ScopeNames joined(const ScopeNames& one, const ScopeNames& other) {
  ScopeNames both;
  std::ranges::set_union(one, other, std::back_inserter(both));
  return both;
}

// A set that has all of another one's scopes is not needed beside it.
void absorb(std::vector<ScopeNames>& sets) {
  std::ranges::sort(sets, [](const auto& a, const auto& b) { return std::pair(a.size(), a) < std::pair(b.size(), b); });
  std::vector<ScopeNames> least;
  for (ScopeNames& set : sets) {
    const auto is_within = [&](const ScopeNames& smaller) { return std::ranges::includes(set, smaller); };
    if (std::ranges::none_of(least, is_within)) least.push_back(std::move(set));
  }
  sets = std::move(least);
}

}  // namespace

Joined needed_for_one_of(std::vector<ScopeNames> sets) {
  for (ScopeNames& set : sets) tidy(set);
  absorb(sets);
  if (sets.size() == 1) return {{sets.front(), {}}, false};
  ScopeNames common = sets.front();
  ScopeNames all;
  for (const ScopeNames& set : sets) {
    ScopeNames both;
    std::ranges::set_intersection(common, set, std::back_inserter(both));
    common = std::move(both);
    all = joined(all, set);
  }
  const bool differ_by_one =
      std::ranges::all_of(sets, [&](const ScopeNames& set) { return set.size() == common.size() + 1; });
  if (!differ_by_one) return {{std::move(all), {}}, true};
  ScopeNames any;
  std::ranges::set_difference(all, common, std::back_inserter(any));
  return {{std::move(common), std::move(any)}, false};
}

ScopesNeeded stricter(const ScopesNeeded& one, const ScopesNeeded& other) {
  ScopesNeeded both{joined(one.all, other.all), {}};
  if (one.any.empty() || other.any.empty() || one.any == other.any) {
    both.any = one.any.empty() ? other.any : one.any;
  } else {
    both.all = joined(both.all, joined(one.any, other.any));
  }
  return both;
}

Demand stricter(const Demand& one, const Demand& other) {
  using Access = Demand::Access;
  if (one.access == Access::nobody || other.access == Access::nobody) return {};
  if (one.access == Access::open) return other;
  if (other.access == Access::open) return one;
  Demand both;
  both.by_key = one.by_key && other.by_key;
  both.by_session = one.by_session && other.by_session;
  const bool is_optional = one.access == Access::optional && other.access == Access::optional;
  // No credential is of a kind that both take.
  if (!both.by_key && !both.by_session) return {};
  both.access = is_optional ? Access::optional : Access::required;
  both.scopes = stricter(one.scopes, other.scopes);
  return both;
}

}  // namespace keygate::app
