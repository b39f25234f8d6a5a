#include "policy/lint.hpp"

#include "policy/compiler.hpp"
#include "policy/sample_request.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace keygate::policy {
namespace {

using Weight = Finding::Weight;

class Linting {
 public:
  Linting(const config::Settings& settings, const Policy& policy)
      : settings_(settings), policy_(policy), word_(policy) {}

  FindingList run() {
    for (const auto& route : policy_.routes) {
      look_at_reach(*route);
      look_at_scopes(*route);
    }
    look_at_catalogue();
    sort_by_place(found_);
    return std::move(found_);
  }

 private:
  void look_at_reach(const Route& route);
  void look_at_scopes(const Route& route);
  void look_at_catalogue();

  void add(Weight weight, std::string_view code, const Route& route, std::string message, std::string hint) {
    found_.push_back({weight, code, route.where, route.name, std::move(message), std::move(hint)});
  }

  const config::Settings& settings_;
  const Policy& policy_;
  SampleWord word_;
  FindingList found_;
};

std::string named(const Route& route) { return quoted(route.name) + " at " + line_of(route.where); }

void Linting::look_at_reach(const Route& route) {
  const RouteTable::Entry& entry = policy_.criteria[route.number];
  const auto samples = sample_requests(entry, word_);
  const auto methods = methods_of(entry);
  std::vector<Method> lost;
  std::size_t named_methods = 0;
  const Route* other = nullptr;
  for (const Method method : methods) {
    // HEAD that comes by way of GET is not what the route is about.
    if (!entry.methods.empty() && !entry.methods.has(method)) continue;
    ++named_methods;
    const bool is_reached = std::ranges::any_of(samples, [&](const SampleRequest& sample) {
      const Route* const governs = governing(policy_, sample, method);
      if (governs != &route && governs != nullptr) other = governs;
      return governs == &route;
    });
    if (!is_reached) lost.push_back(method);
  }
  if (lost.empty() || other == nullptr) return;
  if (lost.size() == named_methods) {
    add(Weight::warning, "never-matches", route,
        "no request gets here, as a more specific route takes each one that matches; one of them is " + named(*other),
        "take the route away, or make it differ in host, path or method");
    return;
  }
  // That a route for any method serves those that no other names is what it is for.
  if (entry.methods.empty() && entry.headers.empty()) return;
  std::string words;
  for (const Method method : lost) words += (words.empty() ? "" : ", ") + std::string(to_string(method));
  add(Weight::warning, "partly-shadowed", route, words + " never gets here: it goes to " + named(*other),
      entry.headers.empty() ? "take the method away here"
                            : "name the methods here too: a named method goes before conditions on headers");
}

bool is_read(const Catalogue& catalogue, std::size_t scope) {
  const std::string& name = catalogue[scope].name;
  return name == "read" || name.ends_with(":read");
}

void Linting::look_at_scopes(const Route& route) {
  if (route.access == Access::anonymous) return;
  const bool has_scopes = !(route.all_scopes.empty() && route.any_scopes.empty());
  if (!has_scopes) {
    if (route.access == Access::required && !route.organization_segment) {
      add(Weight::note, "any-credential", route, "every valid credential opens it, whatever its scopes",
          "write scopes under require, if that is not meant");
    }
    return;
  }
  bool needs_only_reading = true;
  bool would_reading_do = route.any_scopes.empty();
  for (std::size_t scope = 0; scope < policy_.catalogue.size(); ++scope) {
    const bool reads = is_read(policy_.catalogue, scope);
    if (route.all_scopes.has(scope) && !reads) needs_only_reading = false;
    if (route.any_scopes.has(scope) && reads) would_reading_do = true;
  }
  const auto methods = methods_of(policy_.criteria[route.number]);
  const auto write = std::ranges::find_if(methods, [](Method method) { return !is_safe(method); });
  if (!needs_only_reading || !would_reading_do || write == methods.end()) return;
  add(Weight::warning, "write-by-read-scope", route,
      std::string(to_string(*write)) + " is open to a key that may only read (" + route.scopes_text + ")",
      "require a scope for writing, or name the methods that read");
}

void Linting::look_at_catalogue() {
  ScopeSet required;
  for (const auto& route : policy_.routes) {
    required |= route->all_scopes;
    required |= route->any_scopes;
  }
  for (const config::ScopeDocument& scope : settings_.policy.scopes) {
    const auto number = policy_.catalogue.find(scope.name.value);
    if (!number || policy_.catalogue[*number].implied.meets(required)) continue;
    found_.push_back({Weight::warning, "scope-never-required", scope.name.where, "",
                      "no route requires the scope " + quoted(scope.name.value) +
                          (scope.implies.empty() ? "" : ", nor what it implies"),
                      "require it somewhere, or take it out of the catalogue"});
  }
}

}  // namespace

std::string_view to_string(Finding::Weight weight) { return weight == Weight::note ? "note" : "warning"; }

FindingList lint(const config::Settings& settings, const Policy& policy) { return Linting(settings, policy).run(); }

void sort_by_place(FindingList& findings) {
  const auto place = [](const Finding& finding) {
    return std::tuple(finding.where.file ? std::string_view(*finding.where.file) : std::string_view(),
                      finding.where.line, finding.where.column, finding.code);
  };
  std::ranges::stable_sort(findings, [&](const Finding& a, const Finding& b) { return place(a) < place(b); });
}

}  // namespace keygate::policy
