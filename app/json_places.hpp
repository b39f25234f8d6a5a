// JSON as the tree that YAML is read into, so that each value has its line and column. Pure; for openapi_tree.
#pragma once

#include "config/problem.hpp"
#include "config/yaml_reader.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace keygate::app {

// What keys::parse_strict_json takes, and nothing else; the problem says where it stops.
std::variant<config::YamlNodePtr, config::Problem> read_json_places(std::string_view text,
                                                                    const std::shared_ptr<const std::string>& file);

}  // namespace keygate::app
