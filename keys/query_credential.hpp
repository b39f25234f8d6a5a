// A credential among a query's parameters: finding it and taking it out (P-20). Called by CredentialPlan only.
// Names are compared as the most lenient upstream would: percent-decoded once, '+' as blank, case folded.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace keygate::keys {

bool is_query_name(std::string_view raw, std::string_view name);

// See CredentialPlan. `names` is not empty.
bool is_query_ambiguous(std::string_view query, std::span<const std::string> names);
std::size_t strip_query(std::string_view query, std::span<const std::string> names, char* out);

}  // namespace keygate::keys
