// Why a connection to an upstream is not even tried.
#pragma once

#include "keys/asio.hpp"

#include <boost/system/error_code.hpp>

#include <type_traits>

namespace keygate::proxy {

enum class UpstreamError {
  none_healthy = 1,  // all endpoints fail their health checks
  full,              // it has as many connections as it may have, and none became free in time
};

const boost::system::error_category& upstream_category();
error_code make_error_code(UpstreamError error);

}  // namespace keygate::proxy

template <>
struct boost::system::is_error_code_enum<keygate::proxy::UpstreamError> : std::true_type {};
