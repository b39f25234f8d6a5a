#include "app/key_scopes.hpp"

#include "config/problem.hpp"

#include <vector>

namespace keygate::app {

namespace {

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

std::vector<std::string> names_in(const policy::Catalogue& catalogue) {
  std::vector<std::string> names(catalogue.size());
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = catalogue[i].name;
  return names;
}

bool is_listed(const policy::Catalogue& catalogue, const std::string& scope) {
  if (scope == "*" || catalogue.find(scope)) return true;
  if (!scope.ends_with(":*")) return false;
  const std::string_view resource = std::string_view(scope).substr(0, scope.size() - 1);
  for (std::size_t i = 0; i < catalogue.size(); ++i) {
    if (std::string_view(catalogue[i].name).starts_with(resource)) return true;
  }
  return false;
}

}  // namespace

std::optional<ScopeFault> scope_fault(const policy::Catalogue* catalogue, const std::string& scope,
                                      Restricted restricted, Hint hint) {
  using Kind = ScopeFault::Kind;
  if (!policy::is_grant_name(scope)) return ScopeFault{Kind::no_scope_name, quoted(scope) + " is not a scope name"};
  if (catalogue == nullptr) return std::nullopt;
  if (!is_listed(*catalogue, scope)) {
    const std::string near = hint == Hint::wanted ? config::nearest_word(scope, names_in(*catalogue)) : "";
    return ScopeFault{Kind::unlisted, quoted(scope) + " is not in the catalogue" +
                                          (near.empty() ? "" : "; did you mean " + quoted(near) + "?")};
  }
  const std::optional<std::size_t> number = catalogue->find(scope);
  if (number && (*catalogue)[*number].restricted && restricted == Restricted::refused) {
    return ScopeFault{Kind::restricted, quoted(scope) + " is restricted"};
  }
  return std::nullopt;
}

}  // namespace keygate::app
