// May a reload change this? Asked by server before anything is published.
#pragma once

#include "config/settings.hpp"

#include <optional>
#include <string>

namespace keygate::app {

// What cannot change while the process runs; a sentence for the operator where a reload asks for it.
std::optional<std::string> fixed_setting_changed(const config::Settings& now, const config::Settings& next);

}  // namespace keygate::app
