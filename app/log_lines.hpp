// The lines of a file, of any size, in bounded memory. For `keygate replay`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace keygate::app {

inline constexpr std::size_t max_log_line = 256 * 1024;

// Calls `take` with each line, without its end, and its number from 1. Of a line over max_log_line only that much
// comes.
// "-" is stdin. An errno where the file cannot be opened or read; 0: it has been read to its end.
int for_each_line(const std::string& file, const std::function<void(std::string_view, std::uint64_t)>& take);

}  // namespace keygate::app
