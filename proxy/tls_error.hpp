// How a TLS connection can fail, as far as the difference matters to somebody: RFC 9209 has a name for each.
#pragma once

#include "keys/asio.hpp"

#include <boost/system/error_code.hpp>

#include <type_traits>

namespace keygate::proxy {

enum class TlsError {
  certificate = 1,  // of the other end; it was not believed
  alert,            // the other end said why it would not
  protocol,         // what came was no TLS that we speak
  cut_off,          // it ended without saying so: what came may be a part
};

const boost::system::error_category& tls_category();
error_code make_error_code(TlsError error);

}  // namespace keygate::proxy

template <>
struct boost::system::is_error_code_enum<keygate::proxy::TlsError> : std::true_type {};
