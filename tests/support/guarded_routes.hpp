// Does every route of a shipped example ask for its scope, and for that alone? A table of the routes is held against
// the running proxy, and its completeness against what `keygate check` counts.
#pragma once

#include "tests/support/raw_client.hpp"
#include "tests/support/recording_upstream.hpp"
#include "tests/support/scenario.hpp"
#include "tests/support/shipped_example.hpp"

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace keygate::test {

struct GuardedRoute {
  std::string name;
  std::string method;
  std::string target;
  std::string scope;
};

inline std::string request_for(const GuardedRoute& route, const std::string& fields) {
  return route.method == "GET" ? request_to(route.target, fields)
                               : request_with_body(route.target, "{}", fields, route.method);
}

inline std::string joined(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : ",") + word;
  }
  return text;
}

// Which route each request was governed by, as the access log has it: method and path to name.
inline std::map<std::pair<std::string, std::string>, std::string> governing_routes(const ShippedExample& example) {
  std::map<std::pair<std::string, std::string>, std::string> routes;
  std::istringstream text(example.output());
  for (std::string line; std::getline(text, line) && !text.eof();) {
    const auto entry = boost::json::parse(line).as_object();
    routes[{text_of(entry, "method"), text_of(entry, "path")}] = text_of(entry, "route");
  }
  return routes;
}

// With a key of this scope alone it is granted; with a key of all the others refused, which names the scope; without a
// key refused. What is refused never reaches `upstream`.
class GuardCheck {
 public:
  GuardCheck(ShippedExample& example, ShippedKeys& makes_keys, RecordingUpstream& upstream,
             std::set<std::string> catalogue)
      : example_(example),
        makes_keys_(makes_keys),
        upstream_(upstream),
        catalogue_(std::move(catalogue)),
        client_(example.port()) {}

  void hold_against(const std::vector<GuardedRoute>& routes, const std::string& organization) {
    for (const GuardedRoute& route : routes) {
      SCOPED_TRACE(route.name + ": " + route.method + " " + route.target);
      const auto& [only, others] = keys_for(route.scope, organization);
      upstream_.forget();
      EXPECT_EQ(client_.ask(request_for(route, only.bearer())).status, 200);
      const Request seen = upstream_.only_request();
      EXPECT_EQ(seen.target, route.target);
      EXPECT_EQ(seen.fields["x-scopes"], route.scope);
      EXPECT_EQ(seen.fields["x-org-id"], organization);
      EXPECT_FALSE(seen.fields.has("authorization"));
      upstream_.forget();
      const Response refused = client_.ask(request_for(route, others.bearer()));
      expect_problem(refused, 403, "insufficient_scope");
      EXPECT_NE(refused.body.find("\"required_scopes\":[\"" + route.scope + "\"]"), std::string::npos) << refused.body;
      expect_problem(client_.ask(request_for(route, "")), 401, "missing_credential");
      EXPECT_EQ(upstream_.bytes(), "");
    }
    expect_governed_by(routes);
  }

 private:
  using KeyPair = std::pair<Key, Key>;

  const KeyPair& keys_for(const std::string& scope, const std::string& organization) {
    const auto known = keys_.find(scope);
    if (known != keys_.end()) {
      return known->second;
    }
    std::set<std::string> others = catalogue_;
    EXPECT_EQ(others.erase(scope), 1U) << scope << " is not in the catalogue of the test";
    const std::vector<std::string> options{"--environment", "live", "--allow-restricted"};
    return keys_[scope] = {makes_keys_.create_key(organization, scope, options),
                           makes_keys_.create_key(organization, joined(others), options)};
  }

  void expect_governed_by(const std::vector<GuardedRoute>& routes) const {
    const auto is_logged = [&](const GuardedRoute& route) {
      const auto all = governing_routes(example_);
      const auto found = all.find({route.method, route.target});
      return found != all.end() && found->second == route.name;
    };
    for (const GuardedRoute& route : routes) {
      EXPECT_TRUE(eventually([&] { return is_logged(route); })) << route.target << " is not governed by " << route.name;
    }
  }

  ShippedExample& example_;
  ShippedKeys& makes_keys_;
  RecordingUpstream& upstream_;
  std::set<std::string> catalogue_;
  std::map<std::string, KeyPair> keys_;
  RawClient client_;
};

}  // namespace keygate::test
