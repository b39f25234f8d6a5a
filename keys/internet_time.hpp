// Which second does "2026-01-31T12:00:00.000Z" name? Pure. Used for answers of key services.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace keygate::keys {

// Unix seconds of an RFC 3339 time with upper-case T and Z, or with an offset; a fraction of a second is cut off, a
// leap second is the last of its minute. Years from 1970 to 9999.
std::optional<std::int64_t> parse_internet_time(std::string_view text);

}  // namespace keygate::keys
