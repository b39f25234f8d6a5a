// How is what is wrong with files printed for a person? For the verbs; a running proxy logs config::render alone.
#pragma once

#include "config/problem.hpp"

#include <iosfwd>

namespace keygate::app {

// For each its one line, as editors parse it, and below it the line of the file with a mark under the place. That is
// left out where the file cannot be read again, or where the line may hold a secret.
void print_problems(std::ostream& out, const config::Problems& problems);

}  // namespace keygate::app
