// A client that speaks TLS itself, with real OpenSSL: blocking, one connection.
#pragma once

#include "tests/support/bridge.hpp"
#include "tests/support/http_message.hpp"
#include "tests/support/socket.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace keygate::test {

class TlsClient {
 public:
  // Throws std::runtime_error where the handshake fails, std::system_error where the connection does.
  TlsClient(std::uint16_t port, const TlsSettings& settings);

  bool send(std::string_view bytes);
  // Throws as RawClient's does.
  Response read_response();
  Response ask(std::string_view request);
  // The common name in the certificate that it was shown.
  std::string peer() const;
  // Of all answers so far.
  std::size_t received() const { return received_; }

 private:
  Socket socket_;
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> tls_;
  std::string unread_;
  std::size_t received_ = 0;
};

}  // namespace keygate::test
