// How does a line look, with a mark under a place in it? For whoever has to mend it: a terminal or a build's log.
#pragma once

#include "config/hidden_parts.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace keygate::config {

// Two lines, each with its end:
//     4 | limits: {header_timeout: 10}
//       |                          ^~
// `column` counts bytes from 1; the tildes go as far as the word or the quoted text. Hidden parts come as ***, tabs as
// blanks, comments not at all, and a line too long for a terminal is cut around the mark. Empty: the line holds what is
// no text.
std::string marked_line(std::string_view line, int number, int column, const std::vector<Span>& hidden);

}  // namespace keygate::config
