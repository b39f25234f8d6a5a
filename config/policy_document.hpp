// A policy as it was written (docs/policy.md): values and places only, nothing resolved or judged yet.
// Made by config::load; read by policy::compile.
#pragma once

#include "config/problem.hpp"
#include "config/rate_limit_document.hpp"

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

struct RouteDocument {
  Position where;
  Text name;
  MatchDocument match;
  std::optional<RequireDocument> require;
  bool anonymous = false;
  bool optional = false;
  UpstreamDocument upstream;
  bool forward_credential = false;
  std::vector<RateLimitDocument> rate_limits;
};

struct PolicyDocument {
  Position where;
  std::vector<ScopeDocument> scopes;
  std::vector<RouteDocument> routes;
  bool unmatched_is_404 = false;
};

}  // namespace keygate::config
