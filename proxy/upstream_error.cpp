#include "proxy/upstream_error.hpp"

#include "keys/error_category.hpp"

namespace keygate::proxy {
namespace {

const char* sentence(int value) {
  switch (static_cast<UpstreamError>(value)) {
    case UpstreamError::none_healthy:
      return "no endpoint is healthy";
    case UpstreamError::full:
      return "it has as many connections as it may have";
  }
  return "it cannot be asked";
}

}  // namespace

const boost::system::error_category& upstream_category() {
  static constexpr keys::ErrorCategory category("keygate.upstream", sentence);
  return category;
}

error_code make_error_code(UpstreamError error) { return {static_cast<int>(error), upstream_category()}; }

}  // namespace keygate::proxy
