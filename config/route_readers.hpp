// What may a route say besides whom it is for: to browsers, and to its upstream?
#pragma once

#include "config/policy_document.hpp"
#include "config/reader.hpp"

#include <vector>

namespace keygate::config {

Reader<CorsDocument> cors_reader();
Reader<std::vector<SetHeaderDocument>> set_headers_reader();

}  // namespace keygate::config
