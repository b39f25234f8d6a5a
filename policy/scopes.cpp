#include "policy/scopes.hpp"

#include <algorithm>

namespace keygate::policy {
namespace {

constexpr std::size_t longest_scope = 128;

constexpr bool is_resource_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

constexpr bool is_action_byte(char c) { return is_resource_byte(c) || c == '*'; }

// Of "projects:*" it is "projects:"; of anything else nothing.
std::string_view wildcard_prefix(std::string_view grant) {
  return grant.ends_with(":*") ? grant.substr(0, grant.size() - 1) : std::string_view{};
}

}  // namespace

bool ScopeSet::covers(const ScopeSet& needed) const {
  std::uint64_t missing = 0;
  for (std::size_t i = 0; i < words_.size(); ++i) missing |= needed.words_[i] & ~words_[i];
  return missing == 0;
}

bool ScopeSet::meets(const ScopeSet& other) const {
  std::uint64_t common = 0;
  for (std::size_t i = 0; i < words_.size(); ++i) common |= words_[i] & other.words_[i];
  return common != 0;
}

ScopeSet& ScopeSet::operator|=(const ScopeSet& other) {
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  return *this;
}

bool is_scope_name(std::string_view name) {
  if (name.empty() || name.size() > longest_scope || name[0] < 'a' || name[0] > 'z') return false;
  const auto colon = name.find(':');
  const auto resource = name.substr(0, colon);
  if (!std::all_of(resource.begin(), resource.end(), is_resource_byte)) return false;
  if (colon == std::string_view::npos) return true;
  const auto action = name.substr(colon + 1);
  return !action.empty() && std::all_of(action.begin(), action.end(), is_action_byte);
}

bool is_grant_name(std::string_view name) { return name == "*" || is_scope_name(name); }

Catalogue::Catalogue(std::vector<Scope> scopes) : scopes_(std::move(scopes)) {
  for (std::size_t number = 0; number < scopes_.size(); ++number) numbers_.emplace(scopes_[number].name, number);
}

std::optional<std::size_t> Catalogue::find(std::string_view name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

Held Catalogue::expand(std::span<const std::string> granted) const {
  ScopeSet by_name;
  ScopeSet by_wildcard;
  ScopeSet named;
  bool has_wildcard = false;
  ScopeSet restricted;
  for (std::size_t number = 0; number < scopes_.size(); ++number) {
    if (scopes_[number].restricted) restricted.add(number);
  }

  Held held;
  for (const auto& grant : granted) {
    const bool covers_all = grant == "*";
    const auto prefix = wildcard_prefix(grant);
    if (covers_all || !prefix.empty()) {
      has_wildcard = true;
      bool is_listed = covers_all;
      for (std::size_t number = 0; number < scopes_.size(); ++number) {
        if (!covers_all && !scopes_[number].name.starts_with(prefix)) continue;
        is_listed = true;
        if (!scopes_[number].restricted) by_wildcard |= scopes_[number].implied;
      }
      if (!is_listed) ++held.unlisted;
    } else if (const auto number = find(grant)) {
      named.add(*number);
      by_name |= scopes_[*number].implied;
    } else {
      ++held.unlisted;
    }
  }

  for (std::size_t number = 0; number < scopes_.size(); ++number) {
    // A wildcard reaches no restricted scope, not even by way of what an unrestricted one implies.
    const bool is_held = by_name.has(number) || (by_wildcard.has(number) && !restricted.has(number));
    if (!is_held) continue;
    held.set.add(number);
    if (!held.text.empty()) held.text += ' ';
    held.text += scopes_[number].name;
  }
  if (has_wildcard || held.set != named || held.unlisted > 0) {
    for (const auto& grant : granted) held.grants += (held.grants.empty() ? "" : " ") + grant;
  }
  return held;
}

}  // namespace keygate::policy
