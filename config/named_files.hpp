// Which files does a configuration name besides its policy: secrets, certificates, keys, whom to trust? They are read
// at start and at each reload. Not the key store, which has changes of its own.
#pragma once

#include "config/settings.hpp"

#include <string>
#include <vector>

namespace keygate::config {

std::vector<std::string> files_named_in(const Settings& settings);

}  // namespace keygate::config
