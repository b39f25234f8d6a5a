// What the fields of a request head say of the request itself, and what becomes of each on the way to the upstream.
// Pure; called by read_request_head once gate and parser agree on which fields there are.
#pragma once

#include "policy/reserved_names.hpp"
#include "proxy/request_head.hpp"

#include <boost/beast/http/field.hpp>

#include <cstddef>
#include <optional>
#include <span>

namespace keygate::proxy {

// Of all Connection lines together: more than any client has use for, and few enough to look each up among the fields.
inline constexpr std::size_t max_connection_options = 32;

// `known` is Beast's number for each of out.headers(). Fills in all of `out` that the fields decide; `out` must hold
// the fields, their count and the minor version. A field that would go on but for a Connection that names it is blank
// in out.headers() afterwards: a route must not be chosen by a header that the upstream does not get.
std::optional<HeadRefusal> read_request_fields(std::span<const boost::beast::http::field> known,
                                               const policy::ReservedNames& reserved, RequestHead& out);

}  // namespace keygate::proxy
