// The effective configuration with where each value comes from, as YAML that can be loaded again and as JSON. For
// `keygate config print`. Pure.
#pragma once

#include "config/environment.hpp"
#include "config/origins.hpp"
#include "config/settings.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

namespace keygate::app {

struct Effective {
  enum class Kind { scalar, list, map };
  Kind kind = Kind::scalar;
  boost::json::value value;  // of a scalar; an empty list too
  // Of a scalar.
  std::optional<config::Position> where;                   // none: a default, unless `variable` says otherwise
  std::vector<std::string> variables;                      // ${NAME}s in it
  std::string variable;                                    // of the environment, which stood in for it
  std::vector<std::pair<std::string, Effective>> members;  // of a map; the items of a list have empty names
};

// `settings` were loaded from what `written` read.
Effective effective(const config::Settings& settings, const config::Written& written,
                    const config::EnvironmentLookup& environment);

struct ConfigStyle {
  bool has_colour = false;
};
void print_yaml(std::ostream& out, const Effective& root, const config::EnvironmentLookup& environment,
                ConfigStyle style);

// {"values": [{"path": "limits.connections", "value": 10000, "origin": "default"}, …]}; of "origin": "file" there are
// "file", "line" and perhaps "variables"; of "environment" there is "variable".
boost::json::object effective_json(const Effective& root);

}  // namespace keygate::app
