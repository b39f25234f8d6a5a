// Whom do we believe when we connect with TLS? Read once a configuration, on the control thread; then shared by all
// workers, as OpenSSL counts references to a context itself.
#pragma once

#include "config/fault.hpp"
#include "keys/asio.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string>

namespace keygate::keys {

// TLS 1.2 and above, and a certificate that chains up to those trusted.
class ClientTls {
 public:
  // `ca_file`: PEM, the only certificates trusted; empty: those that the system trusts. A Fault names the file.
  static config::Parsed<std::shared_ptr<const ClientTls>> load(const std::string& ca_file);

  // For one connection. Not changed after load, although Asio's stream wants it so.
  net::ssl::context& context() const { return context_; }

  // Whether the same certificates are trusted, as far as they were named.
  bool is_same(const ClientTls& other) const { return trusted_ == other.trusted_; }

 private:
  ClientTls();

  mutable net::ssl::context context_;
  std::string trusted_;  // what ca_file held; empty: the system says
};

// Before the handshake: `host` is asked for by name (SNI), and has to be in the certificate, as a name or as an
// address. False where OpenSSL does not take it.
bool expect_host(SSL* connection, const std::string& host);

}  // namespace keygate::keys
