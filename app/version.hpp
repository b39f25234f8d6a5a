// Which build is this? For `keygate version` and the metrics.
#pragma once

#include <string_view>

namespace keygate::app {

std::string_view version();
std::string_view commit();  // 12 hex digits, or "unknown"

}  // namespace keygate::app
