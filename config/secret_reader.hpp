// How a secret is named in a configuration: NAME_file, NAME_env, or written out, which gets a warning.
// Used by the readers of what needs one.
#pragma once

#include "config/reader.hpp"
#include "config/resolution_settings.hpp"

namespace keygate::config {

Reader<SecretSettings> secret_in_file();         // a path, relative to the file it stands in
Reader<SecretSettings> secret_in_environment();  // a variable's name
Reader<SecretSettings> secret_written_out();     // with a warning

}  // namespace keygate::config
