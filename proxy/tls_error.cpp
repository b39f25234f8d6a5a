#include "proxy/tls_error.hpp"

#include "keys/error_category.hpp"

namespace keygate::proxy {
namespace {

const char* sentence(int value) {
  switch (static_cast<TlsError>(value)) {
    case TlsError::certificate:
      return "its certificate is not trusted";
    case TlsError::alert:
      return "it ended the TLS connection with an alert";
    case TlsError::protocol:
      return "TLS could not be agreed on";
    case TlsError::cut_off:
      return "the TLS connection was cut off";
  }
  return "TLS failed";
}

}  // namespace

const boost::system::error_category& tls_category() {
  static constexpr keys::ErrorCategory category("keygate.tls", sentence);
  return category;
}

error_code make_error_code(TlsError error) { return {static_cast<int>(error), tls_category()}; }

}  // namespace keygate::proxy
