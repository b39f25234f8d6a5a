// The tables of `resolution`, `credentials.admin_secrets` and `key_service`. Called by the settings readers.
#pragma once

#include "config/reader.hpp"
#include "config/resolution_settings.hpp"

namespace keygate::config {

Reader<ResolutionSettings> resolution_reader();
Reader<AdminSecretSettings> admin_secret_reader();
Reader<KeyServiceSettings> key_service_reader();

}  // namespace keygate::config
