// What does the secret say that the configuration only names? Read at start and at each reload, by app.
// Blocks on the disk. A Fault names the file or the variable, and never what stands in it.
#pragma once

#include "config/fault.hpp"
#include "config/resolution_settings.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace keygate::keys {

inline constexpr std::size_t max_secret_size = 4096;
inline constexpr std::size_t min_signing_key_size = 32;
inline constexpr std::size_t max_signing_keys = 8;

// The secret: 1 to 4096 bytes without control characters, so that it can stand in a header. One line end after it, as
// editors leave there, does not count.
config::Parsed<std::string> read_secret(const config::SecretSettings& settings);

// One key a line, 1 to 8 of them with at least 32 bytes each; the first signs, all verify. Empty lines and those that
// begin with # do not count, and neither do blanks around a key.
config::Parsed<std::vector<std::string>> read_signing_keys(const std::string& path);

}  // namespace keygate::keys
