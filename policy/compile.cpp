#include "policy/compiler.hpp"
#include "policy/policy.hpp"
#include "policy/set_header.hpp"

#include <algorithm>
#include <unordered_map>

namespace keygate::policy {
namespace {

// A route's name stands in logs and metric labels, so it is kept to what needs no quoting there.
bool is_route_name(std::string_view name) {
  constexpr std::size_t longest = 64;
  return !name.empty() && name.size() <= longest && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
}

// routes[2], in its own file.
std::string place_in(const config::RouteDocument& route, std::size_t number) {
  return route.path.empty() ? "routes[" + std::to_string(number) + "]" : route.path;
}

void check_names(const std::vector<config::RouteDocument>& routes, Findings& findings) {
  std::unordered_map<std::string, const config::Text*> seen;
  for (std::size_t number = 0; number < routes.size(); ++number) {
    const auto& name = routes[number].name;
    const auto path = place_in(routes[number], number) + ".name";
    if (name.value.empty() && !routes[number].is_whole) continue;
    if (!is_route_name(name.value)) {
      findings.error(name.where, path, quoted(name.value) + " is not a route name",
                     "use up to 64 letters, digits, '_', '-' and '.'");
    }
    const auto [first, is_new] = seen.emplace(name.value, &name);
    if (!is_new) {
      findings.error(name.where, path,
                     quoted(name.value) + " is the name of the route at " + line_of(first->second->where) + " too");
    }
  }
}

// A restricted scope is held by name alone, so a misspelt one would be held by nobody.
void check_granted(const std::vector<std::string>& granted, const config::Position& where, const std::string& path,
                   const Catalogue& catalogue, Findings& findings) {
  for (const std::string& scope : granted) {
    if (catalogue.find(scope) || scope == "*" || scope.ends_with(":*")) continue;
    findings.error(where, path, "unknown scope " + quoted(scope), did_you_mean(scope, scope_names(catalogue)));
  }
  if (granted.size() > max_granted) {
    findings.error(where, path, "more than " + std::to_string(max_granted) + " scopes", "grant a wildcard");
  }
}

// What the configuration itself grants.
void check_configured_scopes(const config::Settings& settings, const Catalogue& catalogue, Findings& findings) {
  for (const auto& secret : settings.credentials.admin_secrets) {
    check_granted(secret.scopes, secret.where, "credentials.admin_secrets", catalogue, findings);
  }
  if (const auto& service = settings.resolution.service) {
    check_granted(service->session_scopes, service->where, "resolution.service.session_scopes", catalogue, findings);
  }
}

// What nginx sends as Host by itself is the name of its own upstream, and no route for a host would ever match.
void check_asked_hosts(const config::Settings& settings, Findings& findings) {
  const auto listener = std::ranges::find_if(
      settings.listeners, [](const auto& one) { return one.decides == config::DecisionDialect::nginx; });
  const auto route =
      std::ranges::find_if(settings.policy.routes, [](const auto& one) { return !one.match.hosts.empty(); });
  if (listener == settings.listeners.end() || route == settings.policy.routes.end()) return;
  findings.warning(listener->where, "listeners",
                   "the route " + quoted(route->name.value) +
                       " is for some hosts, and nginx asks in the name of its own upstream unless it is told not to",
                   "have proxy_set_header Host $host; in the location that asks");
}

Compiled compiled_of(std::shared_ptr<Policy> policy, Findings findings) {
  const bool is_good = !findings.has_errors();
  Compiled compiled{nullptr, findings.take()};
  config::sort_by_place(compiled.problems);
  if (is_good) compiled.policy = std::move(policy);
  return compiled;
}

class Compiler {
 public:
  Compiler(const config::Settings& settings, std::optional<std::int64_t> now)
      : settings_(settings),
        now_(now),
        fixed_(settings.identity_headers, settings.credentials),
        reserved_(settings.identity_headers, settings.credentials, set_header_names(settings.policy.routes)) {}

  Compiled run() &&;

 private:
  void add_route(std::size_t number);

  const config::Settings& settings_;
  std::optional<std::int64_t> now_;
  ReservedNames fixed_;     // whatever the routes say
  ReservedNames reserved_;  // and what they set
  Findings findings_;
  std::shared_ptr<Policy> policy_ = std::make_shared<Policy>();
};

void Compiler::add_route(std::size_t number) {
  const auto& document = settings_.policy.routes[number];
  const RouteSource source{document, place_in(document, number)};
  auto route = std::make_unique<Route>();
  route->number = number;
  route->name = document.name.value;
  route->where = document.where;
  route->forward_credential = document.forward_credential || settings_.credentials.forward;

  if (!document.is_whole) findings_.reject();
  const auto before = findings_.size();
  const auto path = compile_path(source, settings_.paths, findings_);
  auto entry = compile_criteria(source, reserved_, findings_);
  for (const HeaderCondition& condition : entry.headers) {
    route->conditions_text += (route->conditions_text.empty() ? "" : " ") + condition.name;
  }
  const bool is_matchable = path && findings_.size() == before;
  compile_require(source, settings_, policy_->catalogue, path ? &*path : nullptr, *route, findings_);
  compile_upstream(source, settings_, *route, findings_);
  compile_shadow(source, policy_->catalogue, now_, *route, findings_);
  compile_limits(source, settings_, *route, findings_);
  compile_cors(source, entry, *route, findings_);
  if (path) compile_set_headers(source, fixed_, *path, *route, findings_);

  if (is_matchable) {
    entry.path = *path;
    if (const Route* other = policy_->table.add(*route, entry)) {
      findings_.error(document.where, source.path,
                      "overlaps the route " + quoted(other->name) + " at " + line_of(other->where) +
                          ": neither is the more specific one",
                      "let their hosts, paths, methods or header conditions differ");
    }
  }
  policy_->routes.push_back(std::move(route));
  policy_->criteria.push_back(std::move(entry));
}

Compiled Compiler::run() && {
  const auto& document = settings_.policy;
  check_header_names(settings_, findings_);
  policy_->catalogue = compile_catalogue(document.scopes, findings_);
  policy_->unmatched_is_404 = document.unmatched_is_404;
  policy_->paths = settings_.paths;
  if (document.routes.empty()) {
    findings_.error(document.where, "routes", "there are none, so every request would be refused",
                    "a policy needs at least one route");
  }
  check_names(document.routes, findings_);
  check_configured_scopes(settings_, policy_->catalogue, findings_);
  for (std::size_t number = 0; number < document.routes.size(); ++number) add_route(number);
  check_asked_hosts(settings_, findings_);
  check_parted_places(settings_, policy_->routes, findings_);

  return compiled_of(std::move(policy_), std::move(findings_));
}

}  // namespace

void Findings::error(const config::Position& where, std::string path, std::string message, std::string hint) {
  problems_.push_back({config::Severity::error, where, std::move(path), std::move(message), std::move(hint)});
}

void Findings::warning(const config::Position& where, std::string path, std::string message, std::string hint) {
  problems_.push_back({config::Severity::warning, where, std::move(path), std::move(message), std::move(hint)});
}

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

std::string line_of(const config::Position& where) {
  const auto line = std::to_string(where.line);
  return where.file ? *where.file + ':' + line : "line " + line;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  const auto nearest = config::nearest_word(word, known);
  return nearest.empty() ? std::string() : "did you mean " + quoted(nearest) + '?';
}

std::vector<std::string> scope_names(const Catalogue& catalogue) {
  std::vector<std::string> names;
  for (std::size_t number = 0; number < catalogue.size(); ++number) names.push_back(catalogue[number].name);
  return names;
}

Compiled compile(const config::Settings& settings, std::optional<std::int64_t> now) {
  return Compiler(settings, now).run();
}

Compiled compile_catalogue_alone(const config::Settings& settings) {
  Findings findings;
  auto policy = std::make_shared<Policy>();
  policy->catalogue = compile_catalogue(settings.policy.scopes, findings);
  if (settings.policy.scopes.empty()) {
    findings.error(settings.policy.where, "scopes", "there are none, so no key could be granted anything",
                   "write scopes: {projects:read: List projects}");
  }
  return compiled_of(std::move(policy), std::move(findings));
}

}  // namespace keygate::policy
