// Policies and targets built by hand, with places, for the tests of policy/.
#pragma once

#include "config/settings.hpp"
#include "policy/policy.hpp"
#include "policy/target.hpp"
#include "tests/unit/policy/reference_matcher.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace keygate::policy::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr unsigned property_scale = 20;  // sanitizers cost that much and find their faults in fewer rounds
#else
inline constexpr unsigned property_scale = 1;
#endif

inline config::Position at(int line, int column = 1) {
  static const auto file = std::make_shared<const std::string>("policy.yaml");
  return {file, line, column};
}

inline config::Text text(std::string value, int line = 1) { return {std::move(value), at(line)}; }

inline std::vector<config::Text> texts(const std::vector<std::string>& values, int line) {
  std::vector<config::Text> result;
  for (const auto& value : values) result.push_back(text(value, line));
  return result;
}

// A route that begins at `line` has its hosts on the next one, then one line each for methods, path, headers, scopes,
// credentials, organization, environment, upstream, cors and set_headers.
class RouteBuilder {
 public:
  RouteBuilder(std::string name, std::string path, int line = 10) : line_(line) {
    route_.where = at(line);
    route_.name = text(std::move(name), line);
    route_.match.path = text(std::move(path), line + 3);
  }

  RouteBuilder& hosts(const std::vector<std::string>& names) {
    route_.match.hosts = texts(names, line_ + 1);
    return *this;
  }
  RouteBuilder& methods(const std::vector<std::string>& words) {
    route_.match.methods = texts(words, line_ + 2);
    return *this;
  }
  RouteBuilder& header(std::string name, std::string value) {
    route_.match.headers.push_back({text(std::move(name), line_ + 4), text(std::move(value), line_ + 4)});
    return *this;
  }
  RouteBuilder& require() {
    if (!route_.require) route_.require.emplace().where = at(line_ + 5, 3);
    return *this;
  }
  RouteBuilder& all(const std::vector<std::string>& scopes) {
    require();
    route_.require->all_scopes = texts(scopes, line_ + 5);
    return *this;
  }
  RouteBuilder& any(const std::vector<std::string>& scopes) {
    require();
    route_.require->any_scopes = texts(scopes, line_ + 5);
    return *this;
  }
  RouteBuilder& credentials(const std::vector<std::string>& kinds) {
    require();
    route_.require->credentials = texts(kinds, line_ + 6);
    return *this;
  }
  RouteBuilder& client_subjects(const std::vector<std::string>& subjects) {
    require();
    route_.require->client_subjects = texts(subjects, line_ + 6);
    return *this;
  }
  RouteBuilder& organization(std::string parameter) {
    require();
    route_.require->organization = text(std::move(parameter), line_ + 7);
    return *this;
  }
  RouteBuilder& environment(std::string word) {
    require();
    route_.require->environment = text(std::move(word), line_ + 8);
    return *this;
  }
  RouteBuilder& upstream(std::string name) {
    route_.upstream.single = text(std::move(name), line_ + 9);
    return *this;
  }
  RouteBuilder& live(std::string name) {
    route_.upstream.live = text(std::move(name), line_ + 9);
    return *this;
  }
  RouteBuilder& test(std::string name) {
    route_.upstream.test = text(std::move(name), line_ + 9);
    return *this;
  }
  RouteBuilder& anonymous() {
    route_.anonymous = true;
    return *this;
  }
  RouteBuilder& optional() {
    route_.optional = true;
    return *this;
  }
  RouteBuilder& limit(std::uint64_t limit, std::chrono::milliseconds window, const std::vector<std::string>& per) {
    route_.rate_limits.push_back({at(line_ + 10), limit, window, texts(per, line_ + 10)});
    return *this;
  }
  RouteBuilder& forward_credential() {
    route_.forward_credential = true;
    return *this;
  }

  RouteBuilder& cors(const std::vector<std::string>& origins, bool credentials = false) {
    route_.cors.emplace().where = at(line_ + 10);
    route_.cors->origins = texts(origins, line_ + 10);
    route_.cors->credentials = credentials;
    return *this;
  }
  RouteBuilder& set_header(std::string name, std::string value) {
    route_.set_headers.push_back({text(std::move(name), line_ + 11), text(std::move(value), line_ + 11)});
    return *this;
  }
  // What none of the above says.
  RouteBuilder& with(const std::function<void(config::RouteDocument&)>& change) {
    change(route_);
    return *this;
  }

  operator config::RouteDocument() const { return route_; }  // NOLINT: a builder stands where its product does

 private:
  int line_;
  config::RouteDocument route_;
};

// A route that any valid key passes.
inline RouteBuilder keyed(std::string name, std::string path, int line = 10) {
  RouteBuilder route(std::move(name), std::move(path), line);
  route.credentials({"api_key"});
  return route;
}

inline RouteBuilder open_route(std::string name, std::string path, int line = 10) {
  RouteBuilder route(std::move(name), std::move(path), line);
  route.anonymous();
  return route;
}

struct ScopeOptions {
  bool restricted = false;
  std::vector<std::string> implies = {};
};

inline config::ScopeDocument scope(std::string name, const ScopeOptions& options = {}, int line = 2) {
  return {text(std::move(name), line), "", options.restricted, texts(options.implies, line)};
}

inline config::Settings settings_with(std::vector<config::RouteDocument> routes,
                                      std::vector<config::ScopeDocument> scopes = {}) {
  config::Settings settings;
  settings.file = "keygate.yaml";
  settings.upstreams.emplace_back().name = "app";
  settings.policy.where = at(1);
  settings.policy.routes = std::move(routes);
  settings.policy.scopes = std::move(scopes);
  return settings;
}

inline std::vector<std::string> rendered(const config::Problems& problems) {
  std::vector<std::string> lines;
  for (const auto& problem : problems) lines.push_back(config::render(problem));
  return lines;
}

// The policy, which the test takes to be without fault.
inline std::shared_ptr<const Policy> compiled(const config::Settings& settings) {
  auto result = compile(settings);
  for (const auto& line : rendered(result.problems)) ADD_FAILURE() << line;
  return result.policy;
}

// Holds the bytes that a parsed target views.
class TargetText {
 public:
  explicit TargetText(std::string raw, config::PathSettings rules = {})
      : bytes_(std::move(raw)), result_(RequestTarget::parse(bytes_, rules)) {}
  TargetText(const TargetText&) = delete;
  TargetText& operator=(const TargetText&) = delete;

  const RequestTarget* target() const { return std::get_if<RequestTarget>(&result_); }
  const TargetFlaw* flaw() const { return std::get_if<TargetFlaw>(&result_); }

 private:
  std::string bytes_;
  std::variant<RequestTarget, TargetFlaw> result_;
};

// The name of the route that wins, "" where none does, and what is wrong where the target is refused.
inline std::string winner(const RouteTable& table, const Asked& asked) {
  const TargetText text(asked.target);
  if (text.flaw() != nullptr) return "refused: " + std::string(to_string(*text.flaw()));
  const Route* route = table.match({asked.host, asked.method, text.target(), asked.headers});
  return route == nullptr ? "" : route->name;
}

}  // namespace keygate::policy::testing
