// Which day does this text name: 2026-12-31? As the second at which it begins, in UTC.
#pragma once

#include "config/fault.hpp"

#include <cstdint>
#include <string>

namespace keygate::config {

Parsed<std::int64_t> parse_date(const std::string& text);

}  // namespace keygate::config
