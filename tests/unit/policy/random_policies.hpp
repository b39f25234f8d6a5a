// Routes and requests of a small alphabet, so that they meet often. Two random routes may overlap.
#pragma once

#include "tests/unit/policy/builders.hpp"
#include "tests/unit/policy/reference_matcher.hpp"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace keygate::policy::testing {

using Random = std::mt19937;

// How many cases a property is tried with: what KEYGATE_PROPERTY_CASES says, or `usual`.
inline std::size_t property_cases(std::size_t usual) {
  const char* const said = std::getenv("KEYGATE_PROPERTY_CASES");
  return said != nullptr ? std::strtoul(said, nullptr, 10) : usual / property_scale;
}

inline std::size_t below(Random& random, std::size_t bound) { return random() % bound; }

template <class T>
const T& one_of(Random& random, const std::vector<T>& choices) {
  return choices[below(random, choices.size())];
}

template <class T>
std::vector<T> some_of(Random& random, const std::vector<T>& choices, std::size_t at_most) {
  std::set<T> result;
  for (auto count = below(random, at_most + 1); count > 0; --count) result.insert(one_of(random, choices));
  return {result.begin(), result.end()};
}

inline config::RouteDocument random_route(Random& random, std::size_t number) {
  std::string path;
  const auto depth = below(random, 4);
  for (std::size_t i = 0; i < depth; ++i) {
    path += '/' + one_of<std::string>(random,
                                      {"a", "b", "c", "{p" + std::to_string(i) + "}", "{q" + std::to_string(i) + "}"});
  }
  if (below(random, 4) == 0) path += "/{rest...}";
  if (path.empty()) path = "/";
  auto route = open_route("r" + std::to_string(number), path);
  route.hosts(some_of<std::string>(random, {"x.org", "a.x.org", "*.x.org", "*.org", "*.a.x.org"}, 2));
  route.methods(some_of<std::string>(random, {"GET", "HEAD", "PUT"}, 2));
  for (const auto& name : some_of<std::string>(random, {"x-a", "x-b"}, 2)) {
    route.header(name, one_of<std::string>(random, {"1", "2"}));
  }
  return route;
}

inline Asked random_request(Random& random) {
  Asked asked;
  asked.host = one_of<std::string>(random, {"", "org", "x.org", "a.x.org", "b.x.org", "b.a.x.org", "y.org", "xx.org"});
  asked.method = one_of<Method>(random, {Method::get, Method::head, Method::put, Method::post});
  const auto depth = below(random, 5);
  for (std::size_t i = 0; i < depth; ++i)
    asked.target += (i == 0 ? "" : "/") + one_of<std::string>(random, {"a", "b", "c", "d"});
  if (depth > 0 && below(random, 4) == 0) asked.target += '/';
  for (auto count = below(random, 4); count > 0; --count) {
    asked.headers.push_back(one_of<HeaderField>(random, {{"x-a", "1"}, {"x-a", "2"}, {"x-b", "1"}, {"x-c", "1"}}));
  }
  return asked;
}

// At most `most` of them, of which no two overlap.
inline std::vector<config::RouteDocument> random_routes(Random& random, std::size_t most) {
  std::vector<config::RouteDocument> routes;
  const auto count = 1 + below(random, most);
  for (std::size_t number = 0; number < count; ++number) {
    auto route = random_route(random, number);
    const bool overlaps = std::any_of(routes.begin(), routes.end(),
                                      [&](const auto& other) { return reference_overlap(route.match, other.match); });
    if (!overlaps) routes.push_back(std::move(route));
  }
  return routes;
}

}  // namespace keygate::policy::testing
