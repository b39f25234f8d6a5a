// What the scopes of an OpenAPI document are called in a policy, whose names have a stricter form. Pure; for
// policy_draft.
#pragma once

#include "app/openapi.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace keygate::app {

class ScopeSpelling {
 public:
  // Called so itself, if it can be: no other scope is, however it is spelled. Before any name_of.
  void reserve(const std::string& scope);
  // The same each time it is asked for; two scopes never share a name.
  std::string name_of(const std::string& scope);
  std::vector<std::string> names_of(const std::vector<std::string>& scopes);
  // A name near `wanted` that no scope has.
  std::string new_name(const std::string& wanted);

  const std::vector<std::string>& scopes() const { return order_; }  // as they were first asked for
  const std::vector<std::string>& notes() const { return notes_; }   // which are called something else

 private:
  std::map<std::string, std::string> names_;
  std::set<std::string> taken_, own_;
  std::vector<std::string> order_, notes_;
};

// Those that can keep their names do; then the document's get theirs, in its order.
void name_scopes(ScopeSpelling& spelling, const OpenApi& document);

// Made of the letters that `is_allowed` knows; what lies between becomes one `filler`, and none at the ends.
template <class IsAllowed>
std::string spelled_with(const std::string& text, IsAllowed is_allowed, char filler) {
  std::string out;
  for (const char c : text) {
    if (is_allowed(c)) {
      out += c;
    } else if (!out.empty() && out.back() != filler) {
      out += filler;
    }
  }
  while (!out.empty() && out.back() == filler) out.pop_back();
  return out;
}

inline bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace keygate::app
