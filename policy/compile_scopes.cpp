#include "policy/compiler.hpp"

#include <algorithm>

namespace keygate::policy {
namespace {

using Scope = Catalogue::Scope;

// The documents that may stand in the catalogue: well named, each name once, no more than it can number.
std::vector<const config::ScopeDocument*> listed(const std::vector<config::ScopeDocument>& scopes, Findings& findings) {
  std::vector<const config::ScopeDocument*> result;
  for (const auto& scope : scopes) {
    const auto& name = scope.name;
    const auto path = "scopes." + name.value;
    const auto same =
        std::find_if(result.begin(), result.end(), [&](const auto* other) { return other->name.value == name.value; });
    if (!is_scope_name(name.value)) {
      findings.error(name.where, path, quoted(name.value) + " is not a scope name",
                     "write a lower-case word or resource:action, such as projects:read");
    } else if (name.value.ends_with(":*")) {
      findings.error(name.where, path,
                     quoted(name.value) + " is a wildcard, which keys may be granted but no route requires",
                     "list the scopes that it covers");
    } else if (same != result.end()) {
      findings.error(name.where, path, "is listed already at " + line_of((*same)->name.where));
    } else if (result.size() == max_catalogue) {
      findings.error(name.where, "scopes", "the catalogue has more than " + std::to_string(max_catalogue) + " scopes");
      break;
    } else {
      result.push_back(&scope);
    }
  }
  return result;
}

void add_direct_implications(const Catalogue& named, const config::ScopeDocument& document, Scope& scope,
                             Findings& findings) {
  const auto path = "scopes." + scope.name + ".implies";
  for (const auto& implied : document.implies) {
    const auto number = named.find(implied.value);
    if (!number) {
      findings.error(implied.where, path, "unknown scope " + quoted(implied.value),
                     did_you_mean(implied.value, scope_names(named)));
      continue;
    }
    if (named[*number].restricted && !scope.restricted) {
      findings.error(implied.where, path,
                     quoted(implied.value) + " is restricted and " + quoted(scope.name) + " is not",
                     "what a wildcard covers may not bring a restricted scope with it: restrict both");
    }
    scope.implied.add(*number);
  }
}

// Warshall's closure, a word of scopes at a time. Run before a scope implies itself, so that one which does is in a
// cycle.
void close(std::vector<Scope>& scopes) {
  for (std::size_t by = 0; by < scopes.size(); ++by) {
    const auto reached = scopes[by].implied;
    for (auto& scope : scopes) {
      if (scope.implied.has(by)) scope.implied |= reached;
    }
  }
}

}  // namespace

Catalogue compile_catalogue(const std::vector<config::ScopeDocument>& documents, Findings& findings) {
  const auto sources = listed(documents, findings);
  std::vector<Scope> scopes;
  scopes.reserve(sources.size());
  for (const auto* source : sources)
    scopes.push_back({source->name.value, source->description, source->restricted, {}});

  const Catalogue named(scopes);
  for (std::size_t number = 0; number < scopes.size(); ++number) {
    add_direct_implications(named, *sources[number], scopes[number], findings);
  }
  close(scopes);
  for (std::size_t number = 0; number < scopes.size(); ++number) {
    auto& scope = scopes[number];
    if (scope.implied.has(number)) {
      findings.error(sources[number]->name.where, "scopes." + scope.name + ".implies",
                     quoted(scope.name) + " implies itself, at once or by way of others",
                     "scopes that imply each other are one scope: keep one");
    }
    scope.implied.add(number);
  }
  return Catalogue(std::move(scopes));
}

}  // namespace keygate::policy
