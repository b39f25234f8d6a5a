// A credential among a Cookie header's pairs: finding it and taking it out. Called by CredentialPlan only.
// Names are exact (RFC 6265 knows no folding); a value is what stands there: quotes belong to it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace keygate::keys {

// `pair` as it stands between two semicolons, blanks around the name included.
bool is_cookie_named(std::string_view pair, std::string_view name);
std::string_view cookie_value(std::string_view pair);

// See CredentialPlan.
std::size_t strip_cookie(std::string_view value, std::span<const std::string> names, char* out);

}  // namespace keygate::keys
