// An OpenAPI document from its file. For the verbs that take --openapi.
#pragma once

#include "app/openapi.hpp"

#include <string>

namespace keygate::app {

// Refusal with status 2 where the file cannot be read, or something in it is not understood.
OpenApi openapi_from(const std::string& file, const OpenApiOptions& options, const std::string& verb);

// Of --base-path. Refusal with status 2 where it is none.
std::string base_path_option(const std::string& text, const std::string& verb);

}  // namespace keygate::app
