// Max-Forwards of an OPTIONS (RFC 9110 §7.6.2, N-05): how many proxies more the request may pass. Pure.
#pragma once

#include "proxy/request_head.hpp"

#include <boost/beast/http/field.hpp>

#include <optional>
#include <span>

namespace keygate::proxy {

// For an OPTIONS whose fields and target have been read: counts down, in place in `head`. At 0 the request goes no
// further: is_asterisk is set, and it is answered as `OPTIONS *` is.
std::optional<HeadRefusal> count_forwards(std::span<char> head, std::span<const boost::beast::http::field> known,
                                          RequestHead& out);

}  // namespace keygate::proxy
