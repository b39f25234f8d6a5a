// The tables of keys of the configuration itself (docs/configuration.md); those of its larger parts are beside it.
// Called by the loader with the root of the main file.
#pragma once

#include "config/purpose.hpp"
#include "config/reader.hpp"
#include "config/settings.hpp"

namespace keygate::config {

// The whole file. `policy` is read by the reader given, which knows how to open the file that may stand there.
Reader<Settings> settings_reader(Reader<PolicyDocument> policy, Purpose purpose);

Reader<std::uint64_t> version_reader();

}  // namespace keygate::config
