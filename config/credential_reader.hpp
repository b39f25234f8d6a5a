// The table of `credentials`: where a credential is looked for, and what an API key looks like.
// Called by the settings reader.
#pragma once

#include "config/reader.hpp"
#include "config/settings.hpp"

namespace keygate::config {

Reader<CredentialSettings> credentials_reader();

}  // namespace keygate::config
