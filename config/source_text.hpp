// The bytes of a configuration file, before anything reads them as YAML.
// What the YAML parser would pass over in silence is refused here: a control-D ends a file for it.
#pragma once

#include "config/fault.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace keygate::config {

inline constexpr std::size_t max_source_bytes = 16u << 20;

// The whole file, or one byte more than max_source_bytes of it, which read_yaml then refuses.
Parsed<std::string> read_source(const std::string& path);

struct ByteFlaw {
  int line = 0;
  int column = 0;  // counts bytes
  std::string message;
};

// The first byte that has no business in UTF-8 text: controls but tab and line ends, a lone CR, malformed sequences.
std::optional<ByteFlaw> byte_flaw(std::string_view text);

}  // namespace keygate::config
