#include "policy/compiler.hpp"

#include <algorithm>

namespace keygate::policy {
namespace {

constexpr std::size_t place(Environment environment) { return static_cast<std::size_t>(environment); }

std::vector<std::string> upstream_names(const config::Settings& settings) {
  std::vector<std::string> names;
  for (const auto& upstream : settings.upstreams) names.push_back(upstream.name);
  return names;
}

std::size_t find_upstream(const config::Settings& settings, std::string_view name) {
  for (std::size_t number = 0; number < settings.upstreams.size(); ++number) {
    if (settings.upstreams[number].name == name) return number;
  }
  return no_upstream;
}

std::size_t named_upstream(const RouteSource& source, const config::Text& name, const config::Settings& settings,
                           Findings& findings) {
  const auto number = find_upstream(settings, name.value);
  if (number == no_upstream) {
    findings.error(name.where, source.path + ".upstream", "unknown upstream " + quoted(name.value),
                   did_you_mean(name.value, upstream_names(settings)));
  }
  return number;
}

std::string choice_of(const config::Settings& settings) {
  constexpr std::size_t most_named = 5;
  std::string hint = "write upstream: ";
  if (settings.upstreams.size() > most_named) return hint + "and the name of one";
  for (std::size_t number = 0; number < settings.upstreams.size(); ++number) {
    hint += (number == 0 ? "" : " or ") + settings.upstreams[number].name;
  }
  return hint;
}

// Of a route that names none: the one called "default", or the only one there is.
std::size_t implied_upstream(const RouteSource& source, const config::Settings& settings, Findings& findings) {
  if (settings.upstreams.size() == 1) return 0;
  const auto number = find_upstream(settings, "default");
  if (number != no_upstream) return number;
  findings.error(source.document.where, source.path,
                 settings.upstreams.empty() ? "there is no upstream to forward to"
                                            : "names no upstream, and none of them is called \"default\"",
                 settings.upstreams.empty() ? "name one under upstreams" : choice_of(settings));
  return no_upstream;
}

const config::ListenerSettings* deciding(const config::Settings& settings) {
  const auto found = std::ranges::find_if(settings.listeners, [](const auto& one) { return one.decides.has_value(); });
  return found == settings.listeners.end() ? nullptr : &*found;
}

bool has_live(const Route& route) { return route.upstream[place(Environment::live)] != no_upstream; }
bool has_test(const Route& route) { return route.upstream[place(Environment::test)] != no_upstream; }
// Whether a test key goes elsewhere than a live one, or only one of them goes anywhere.
bool is_parted(const Route& route) {
  return route.upstream[place(Environment::live)] != route.upstream[place(Environment::test)];
}

// Who asks for decisions sends every key of a route to one place, and is not told which side of a map was meant: a test
// key would reach the live one.
void check_one_place(const RouteSource& source, const config::Settings& settings, const Route& route,
                     Findings& findings) {
  const auto* const listener = deciding(settings);
  if (!is_parted(route) || !has_live(route) || !has_test(route) || listener == nullptr) return;
  const auto live = route.upstream[place(Environment::live)];
  findings.error(source.document.upstream.test->where, source.path + ".upstream",
                 "a test key would reach " + quoted(settings.upstreams[live].name) + ", as who asks at " +
                     name_of(*listener) + " for decisions sends both kinds of key to one place",
                 "write environment: live under require, or have a Keygate without such a listener forward");
}

// `upstream: {live: …, test: …}`
void compile_map(const RouteSource& source, const config::Settings& settings, Route& route, Findings& findings) {
  const auto& upstream = source.document.upstream;
  if (route.access != Access::required) {
    findings.error((upstream.live ? upstream.live : upstream.test)->where, source.path + ".upstream",
                   "a request without a credential has no environment to choose an upstream by", "name one upstream");
    return;
  }
  const auto fill = [&](Environment environment, const std::optional<config::Text>& name) {
    if (!name) return;
    const auto number = named_upstream(source, *name, settings, findings);
    const bool may_pass = route.environment == Environment::none || route.environment == environment;
    if (may_pass) route.upstream[place(environment)] = number;
  };
  fill(Environment::live, upstream.live);
  fill(Environment::test, upstream.test);
  check_one_place(source, settings, route, findings);

  if (route.environment == Environment::none) return;
  if (route.environment == Environment::live ? upstream.live : upstream.test) return;
  const auto& other = upstream.live ? upstream.live : upstream.test;
  findings.error(other->where, source.path + ".upstream",
                 "has no upstream for the environment that the route requires, which is " +
                     std::string(to_string(route.environment)));
}

bool has_test_format(const config::Settings& settings) {
  return std::any_of(settings.credentials.formats.begin(), settings.credentials.formats.end(),
                     [](const config::KeyFormatSettings& format) { return format.environment == Environment::test; });
}

void compile_single(const RouteSource& source, const config::Settings& settings, Route& route, Findings& findings) {
  const auto& name = source.document.upstream.single;
  const auto number =
      name ? named_upstream(source, *name, settings, findings) : implied_upstream(source, settings, findings);
  if (number == no_upstream) return;

  // Where a request may pass without a credential. A principal without an environment cannot slip through by this on a
  // route that requires one: decide compares that first.
  if (route.access != Access::required) route.upstream[place(Environment::none)] = number;
  if (route.access == Access::anonymous) return;
  if (route.environment != Environment::none) {
    route.upstream[place(route.environment)] = number;
    return;
  }
  // Not where `environment:` was written and is wrong: that has been said, and this would only puzzle.
  if (has_test_format(settings) && source.document.require && !source.document.require->environment) {
    findings.error(name ? name->where : source.document.where, source.path + ".upstream",
                   "a test key could reach " + quoted(settings.upstreams[number].name) +
                       ", as the route is open to every environment",
                   "write environment: live or test under require, or upstream: {live: …, test: …}");
    return;
  }
  route.upstream.fill(number);
}

}  // namespace

void compile_upstream(const RouteSource& source, const config::Settings& settings, Route& route, Findings& findings) {
  const auto& upstream = source.document.upstream;
  if (upstream.live || upstream.test) {
    compile_map(source, settings, route, findings);
  } else {
    compile_single(source, settings, route, findings);
  }
}

void check_parted_places(const config::Settings& settings, const std::vector<std::unique_ptr<const Route>>& routes,
                         Findings& findings) {
  const auto* const listener = deciding(settings);
  if (listener == nullptr) return;
  for (const auto& test : routes) {
    if (!is_parted(*test) || !has_test(*test) || has_live(*test)) continue;
    const auto to = test->upstream[place(Environment::test)];
    const auto live = std::ranges::find_if(
        routes, [&](const auto& one) { return has_live(*one) && one->upstream[place(Environment::live)] != to; });
    if (live == routes.end()) continue;
    findings.warning(listener->where, "listeners",
                     "test keys are for " + quoted(settings.upstreams[to].name) + " by the route " +
                         quoted(test->name) + ", and " +
                         quoted(settings.upstreams[(*live)->upstream[place(Environment::live)]].name) +
                         " serves the route " + quoted((*live)->name) + ": who asks at " + name_of(*listener) +
                         " is told of neither, and sends both where its own rules say",
                     "have those part the two by host or path as the routes do, never by the key");
    return;
  }
}

}  // namespace keygate::policy
