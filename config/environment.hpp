// ${NAME}, ${NAME:-default} and $$ in the scalar values of a configuration (docs/configuration.md).
// Works on values after YAML has been parsed, so that what a variable holds can never become structure.
#pragma once

#include "config/fault.hpp"

#include <functional>
#include <optional>
#include <string>

namespace keygate::config {

using EnvironmentLookup = std::function<std::optional<std::string>(const std::string&)>;

// The text with every name replaced. As in a shell, the default also serves where the variable is empty.
// A Fault where a name is not set and has no default, or where a dollar begins neither of the three forms.
Parsed<std::string> substitute(const std::string& text, const EnvironmentLookup& environment);

// What the process itself was started with.
std::optional<std::string> process_environment(const std::string& name);

}  // namespace keygate::config
