// What a listener speaks TLS with: its certificate, and whose client certificates it believes. Read once a
// configuration, on the control thread; then shared by all workers, so that a session of one is resumed by another.
#pragma once

#include "config/fault.hpp"
#include "config/settings.hpp"

#include <memory>

struct ssl_ctx_st;

namespace keygate::proxy {

class ServerTls {
 public:
  static config::Parsed<std::shared_ptr<const ServerTls>> load(const config::ListenerTlsSettings& settings);

  // OpenSSL counts its own references, and wants it mutable; nothing is changed after load.
  ssl_ctx_st& context() const { return *context_; }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  ServerTls() = default;

  std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace keygate::proxy
