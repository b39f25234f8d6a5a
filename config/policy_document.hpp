// A policy as it was written (docs/policy.md): values and places only, nothing resolved or judged yet.
// Made by config::load; read by policy::compile.
#pragma once

#include "config/problem.hpp"
#include "config/rate_limit_document.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace keygate::config {

using Text = Located<std::string>;

struct ScopeDocument {
  Text name;
  std::string description;
  bool restricted = false;
  std::vector<Text> implies;
};

struct HeaderConditionDocument {
  Text name;
  Text value;
};

struct MatchDocument {
  std::vector<Text> hosts;    // empty: any
  std::vector<Text> methods;  // empty: any
  Text path;
  std::vector<HeaderConditionDocument> headers;
};

struct RequireDocument {
  Position where;
  std::vector<Text> all_scopes;
  std::vector<Text> any_scopes;
  std::vector<Text> credentials;      // empty: not written
  std::vector<Text> client_subjects;  // empty: any client
  std::optional<Text> organization;   // "{org}"
  std::optional<Text> environment;    // live | test
};

// `upstream: app` fills `single`; `upstream: {live: app, test: sandbox}` fills the other two.
struct UpstreamDocument {
  std::optional<Text> single;
  std::optional<Text> live;
  std::optional<Text> test;
};

struct CorsDocument {
  Position where;
  std::vector<Text> origins;  // "*" alone: any
  std::vector<Text> methods;  // empty: those of the route
  std::vector<Text> headers;
  std::vector<Text> expose;
  bool credentials = false;
  std::optional<std::chrono::milliseconds> max_age;
};

struct SetHeaderDocument {
  Text name;
  Text value;  // text, {parameter} and {principal.field}
};

struct RouteDocument {
  Position where;
  bool is_whole = true;  // false: something in it was at fault and has its default, so what is missing says nothing
  std::string path{};    // routes[2], counted in the included file that it stands in; empty: in the order of the policy
  Text name;
  MatchDocument match;
  std::optional<RequireDocument> require;
  bool anonymous = false;
  bool optional = false;
  UpstreamDocument upstream;
  bool forward_credential = false;
  std::vector<RateLimitDocument> rate_limits;
  std::optional<CorsDocument> cors;
  std::vector<SetHeaderDocument> set_headers;
  std::optional<Text> mode;   // enforce | shadow
  std::optional<Text> until;  // of shadow: a date
};

struct PolicyDocument {
  Position where;
  std::vector<ScopeDocument> scopes;
  std::vector<RouteDocument> routes;
  std::vector<Text> include;  // names and patterns of files; empty once these are read
  bool unmatched_is_404 = false;
};

}  // namespace keygate::config
