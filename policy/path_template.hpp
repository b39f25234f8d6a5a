// The `path:` of a route, taken apart: /api/{org}/files/{rest...} (docs/policy.md). Read by compile, kept by the route
// table.
#pragma once

#include "config/path_settings.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace keygate::policy {

struct PathTemplate {
  struct Segment {
    enum class Kind : unsigned char { literal, parameter, rest };
    Kind kind = Kind::literal;
    std::string text;  // the literal in canonical form, or the parameter's name
  };
  std::vector<Segment> segments;  // a rest is last

  // Which segment of a matching path the parameter of that name stands for. A rest is no one segment: nullopt.
  std::optional<std::size_t> parameter(std::string_view name) const;
};

struct TemplateFlaw {
  std::string message;
  std::string hint;  // may be empty
};

// A literal must be what RequestTarget makes of it, or it could never match; the flaw's hint then shows that form. A
// parameter is a whole segment, `{name}` with a name of letters, digits, '_' and '-'. One trailing slash means nothing.
// `rules`: those that requests are read by.
std::variant<PathTemplate, TemplateFlaw> parse_path_template(std::string_view text, config::PathSettings rules = {});

}  // namespace keygate::policy
