#include "app/scope_spelling.hpp"

#include "policy/scopes.hpp"

#include <algorithm>

namespace keygate::app {
namespace {

std::string respelled(const std::string& scope) {
  std::string text = scope.substr(scope.starts_with("https://") ? 8 : scope.starts_with("http://") ? 7 : 0);
  std::ranges::transform(text, text.begin(), lower);
  const std::size_t colon = text.find(':');
  const auto part = [](const std::string& piece) {
    return spelled_with(
        piece, [](char c) { return is_lower_or_digit(c) || c == '_'; }, '-');
  };
  std::string name = part(text.substr(0, colon));
  const std::string rest = colon == text.npos ? "" : part(text.substr(colon + 1));
  name += rest.empty() ? "" : ":" + rest;
  name = name.substr(0, 100);
  if (policy::is_scope_name(name)) return name;
  const std::string plain = spelled_with(name, is_lower_or_digit, '-');
  return plain.empty() ? "scope" : "scope-" + plain;
}

// A star would be a wildcard.
bool is_plain_name(const std::string& scope) { return policy::is_scope_name(scope) && scope.find('*') == scope.npos; }

}  // namespace

void ScopeSpelling::reserve(const std::string& scope) {
  if (is_plain_name(scope) && taken_.insert(scope).second) own_.insert(scope);
}

std::string ScopeSpelling::new_name(const std::string& wanted) {
  std::string name = wanted;
  for (int number = 2; !taken_.insert(name).second; ++number) name = wanted + "-" + std::to_string(number);
  return name;
}

std::string ScopeSpelling::name_of(const std::string& scope) {
  const auto known = names_.find(scope);
  if (known != names_.end()) return known->second;
  std::string name = own_.contains(scope) ? scope : new_name(is_plain_name(scope) ? scope : respelled(scope));
  if (name != scope) notes_.push_back("the scope " + scope + " is called " + name + " here");
  names_[scope] = name;
  order_.push_back(scope);
  return name;
}

void name_scopes(ScopeSpelling& spelling, const OpenApi& document) {
  for (const auto& scope : document.scopes) spelling.reserve(scope.first);
  for (const Operation& operation : document.operations) {
    for (const Way& way : operation.ways) {
      for (const std::string& scope : way.scopes) spelling.reserve(scope);
    }
  }
  for (const auto& scope : document.scopes) spelling.name_of(scope.first);
}

std::vector<std::string> ScopeSpelling::names_of(const std::vector<std::string>& scopes) {
  std::vector<std::string> names;
  names.reserve(scopes.size());
  for (const std::string& scope : scopes) names.push_back(name_of(scope));
  return names;
}

}  // namespace keygate::app
