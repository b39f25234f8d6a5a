// What JSON do these bytes make, read so that no two programs could read them in two ways? Pure.
// Used for answers of key services.
#pragma once

#include <boost/json/value.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace keygate::keys {

// RFC 8259 to the letter: one value, valid UTF-8, no comments and no trailing commas; at most `max_depth` arrays and
// objects within each other. An object that has a member twice, however that is escaped, is none either.
std::optional<boost::json::value> parse_strict_json(std::string_view text, std::size_t max_depth);

}  // namespace keygate::keys
