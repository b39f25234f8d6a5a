// Which header names the configuration may give a meaning to, and when two names are the same one.
// Names fold as they may fold in an upstream: X_Org_Id and x.org.id are X-Org-Id.
#pragma once

#include "config/fault.hpp"

#include <string>

namespace keygate::config {

// RFC 9110 section 5.6.2.
bool is_token(const std::string& text);

// Lower case, and "-" for whatever is neither letter nor digit.
std::string folded_header_name(const std::string& name);

// It frames the message, says who forwards it, or is ours: no identity and no credential may travel under it.
bool is_occupied_header(const std::string& name);

// A name for an identity header, as written.
Parsed<std::string> parse_identity_header(const std::string& text);

// A name for a header that carries a credential, in lower case.
Parsed<std::string> parse_credential_header(const std::string& text);

}  // namespace keygate::config
