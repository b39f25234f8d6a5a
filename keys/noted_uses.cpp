#include "keys/noted_uses.hpp"

#include <algorithm>
#include <utility>

namespace keygate::keys {

NotedUses::Use* NotedUses::find_or_add(const KeyDigest& digest) {
  const auto known = uses_.find(digest);
  if (known != uses_.end()) return &known->second;
  return uses_.size() < max_keys ? &uses_[digest] : nullptr;
}

void NotedUses::add_scope(Use& use, std::string_view scope) {
  if (scope.empty() || use.scopes.size() >= max_scopes) return;
  if (std::ranges::find(use.scopes, scope) == use.scopes.end()) use.scopes.emplace_back(scope);
}

void NotedUses::note(const KeyDigest& digest, std::int64_t at, std::string_view scopes) {
  const std::lock_guard lock(mutex_);
  Use* const use = find_or_add(digest);
  if (use == nullptr) return;
  use->at = std::max(use->at, at);
  while (!scopes.empty()) {
    const std::size_t end = std::min(scopes.find(' '), scopes.size());
    add_scope(*use, scopes.substr(0, end));
    scopes.remove_prefix(std::min(end + 1, scopes.size()));
  }
}

std::vector<KeyUse> NotedUses::take() {
  decltype(uses_) taken;
  {
    const std::lock_guard lock(mutex_);  // which workers wait for: no longer than for an exchange
    taken.swap(uses_);
  }
  std::vector<KeyUse> all;
  all.reserve(taken.size());
  for (auto& [digest, use] : taken) all.push_back({digest, use.at, std::move(use.scopes)});
  return all;
}

bool NotedUses::is_empty() {
  const std::lock_guard lock(mutex_);
  return uses_.empty();
}

void NotedUses::give_back(std::vector<KeyUse> uses) {
  const std::lock_guard lock(mutex_);
  for (const KeyUse& back : uses) {
    Use* const use = find_or_add(back.digest);
    if (use == nullptr) continue;
    use->at = std::max(use->at, back.at);
    for (const std::string& scope : back.scopes) add_scope(*use, scope);
  }
}

}  // namespace keygate::keys
