// The headers that a route has the upstream sent, in the words of the request and of who makes it. Pure; for
// forward_head.
#pragma once

#include "policy/decide.hpp"
#include "proxy/head_writer.hpp"

#include <cstddef>
#include <string_view>

namespace keygate::proxy {

// For a grant whose route has set_headers; `path` is the canonical one. An upper bound on what is written.
std::size_t set_headers_bound(const policy::Grant& grant, std::string_view path);

// One of which a piece has nothing to say is left out: half a value would be another one.
void write_set_headers(const policy::Grant& grant, std::string_view path, HeadWriter& out);

}  // namespace keygate::proxy
