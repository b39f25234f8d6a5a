// The scope catalogue, and what a principal's grants mean under it: bit sets, so that deciding is a few word
// operations. Scopes are exact strings; only `implies` and the wildcards of a grant widen them (docs/policy.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace keygate::policy {

inline constexpr std::size_t max_catalogue = 512;  // more scopes than this are a load error

// A set of catalogue scopes, by number.
class ScopeSet {
 public:
  void add(std::size_t scope) { words_[scope / 64] |= std::uint64_t{1} << (scope % 64); }
  bool has(std::size_t scope) const { return (words_[scope / 64] >> (scope % 64) & 1U) != 0; }
  bool empty() const { return *this == ScopeSet{}; }
  bool covers(const ScopeSet& needed) const;  // every scope of `needed` is in this set
  bool meets(const ScopeSet& other) const;    // at least one scope is in both
  ScopeSet& operator|=(const ScopeSet& other);
  bool operator==(const ScopeSet&) const = default;

 private:
  std::array<std::uint64_t, max_catalogue / 64> words_{};
};

// What grants come to under one catalogue.
struct Held {
  ScopeSet set;
  std::string text;          // the names in `set`, in catalogue order, separated by one space: the X-Scopes header
  std::string grants;        // what was granted, likewise, where that is not the same: for another catalogue to read
  std::size_t unlisted = 0;  // grants that name nothing in the catalogue: ignored, and counted
};

// `[a-z][a-z0-9_-]*(:[a-z0-9_*-]+)?`, at most 128 bytes.
bool is_scope_name(std::string_view name);

// A scope name, `*`, or `resource:*`: what a key may be granted.
bool is_grant_name(std::string_view name);

class Catalogue {
 public:
  struct Scope {
    std::string name;
    std::string description;
    bool restricted = false;
    ScopeSet implied;  // transitively, itself included
  };

  Catalogue() = default;
  // `scopes` hold their transitive implications already; policy::compile sees to that.
  explicit Catalogue(std::vector<Scope> scopes);

  std::optional<std::size_t> find(std::string_view name) const;
  const Scope& operator[](std::size_t number) const { return scopes_[number]; }
  std::size_t size() const { return scopes_.size(); }

  // What `granted` holds: `*` and `resource:*` cover unrestricted scopes only, restricted ones are held by name alone;
  // what a held scope implies is held too (but an implied restricted scope only where the holder is itself named).
  Held expand(std::span<const std::string> granted) const;

 private:
  struct NameHash {  // lets find() look a view up without making a string of it
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };

  std::vector<Scope> scopes_;
  std::unordered_map<std::string, std::size_t, NameHash, std::equal_to<>> numbers_;
};

}  // namespace keygate::policy
