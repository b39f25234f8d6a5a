// The parts of policy::compile, one a subject; compile.cpp is their only caller. Each reports all that it finds wrong
// and goes on, so that one run shows an operator everything.
#pragma once

#include "config/settings.hpp"
#include "policy/policy.hpp"
#include "policy/reserved_names.hpp"
#include "policy/route_entry.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::policy {

class Findings {
 public:
  // `path` is the place within the policy: routes[2].match.path.
  void error(const config::Position& where, std::string path, std::string message, std::string hint = {});

  void warning(const config::Position& where, std::string path, std::string message, std::string hint = {});

  // An error that has been told already, by whoever read the file.
  void reject() { is_rejected_ = true; }

  std::size_t size() const { return problems_.size(); }
  bool has_errors() const { return is_rejected_ || config::has_errors(problems_); }
  config::Problems take() { return std::move(problems_); }

 private:
  config::Problems problems_;
  bool is_rejected_ = false;
};

std::string quoted(std::string_view text);
// "policy.yaml:12", for naming a second place inside a message.
std::string line_of(const config::Position& where);
// did you mean "projects:read"? Empty where no known word is near.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& known);
std::vector<std::string> scope_names(const Catalogue& catalogue);

// One route as it was written, and what to call it: routes[2].
struct RouteSource {
  const config::RouteDocument& document;
  std::string path;
};

// compile_scopes.cpp. A cycle of `implies` is an error: two scopes that imply each other are one.
Catalogue compile_catalogue(const std::vector<config::ScopeDocument>& scopes, Findings& findings);

// compile_match.cpp. nullopt where the template is wrong.
std::optional<PathTemplate> compile_path(const RouteSource& source, config::PathSettings rules, Findings& findings);
// The criteria besides the path.
RouteTable::Entry compile_criteria(const RouteSource& source, const ReservedNames& reserved, Findings& findings);
// The names of injected headers and credential headers must be names, and stay out of each other's way.
void check_header_names(const config::Settings& settings, Findings& findings);

// compile_require.cpp. Who may pass: access, scopes, credentials, organization, environment. `path` is null where the
// template is wrong.
void compile_require(const RouteSource& source, const config::Settings& settings, const Catalogue& catalogue,
                     const PathTemplate* path, Route& route, Findings& findings);

// compile_shadow.cpp. How long it lets through whom it would refuse; after compile_require.
void compile_shadow(const RouteSource& source, const Catalogue& catalogue, std::optional<std::int64_t> now,
                    Route& route, Findings& findings);

// compile_cors.cpp. What browsers are told; after compile_criteria, whose methods it reads.
void compile_cors(const RouteSource& source, const RouteTable::Entry& criteria, Route& route, Findings& findings);

// compile_headers.cpp. What its upstream is sent besides. `reserved`: without the names that routes set.
void compile_set_headers(const RouteSource& source, const ReservedNames& reserved, const PathTemplate& path,
                         Route& route, Findings& findings);

// compile_upstream.cpp. Where to; after compile_require, whose environment it reads.
void compile_upstream(const RouteSource& source, const config::Settings& settings, Route& route, Findings& findings);
// Of all routes, after each: where test keys and live keys go to several places, and somebody else sends them there.
void check_parted_places(const config::Settings& settings, const std::vector<std::unique_ptr<const Route>>& routes,
                         Findings& findings);

// compile_limits.cpp. How often; after compile_require, whose access it reads.
void compile_limits(const RouteSource& source, const config::Settings& settings, Route& route, Findings& findings);

}  // namespace keygate::policy
