// What a listener speaks TLS with: its certificate, and whose client certificates it believes. Read once a
// configuration, on the control thread; then shared by all workers, so that a session of one is resumed by another, and
// kept over a reload that changes none of it.
#pragma once

#include "config/fault.hpp"
#include "config/settings.hpp"
#include "proxy/ticket_keys.hpp"

#include <array>
#include <memory>
#include <optional>

struct ssl_ctx_st;

namespace keygate::proxy {

class ServerTls {
 public:
  static config::Parsed<std::shared_ptr<const ServerTls>> load(const config::ListenerTlsSettings& settings);

  // OpenSSL counts its own references, and wants it mutable; nothing is changed after load. A handshake keeps this
  // object, whose ticket keys it uses.
  ssl_ctx_st& context() const { return *context_; }

  // Whether `other` shows the same certificates, believes the same ones, and asks for them alike.
  bool is_same(const ServerTls& other) const { return identity_ == other.identity_; }

  // Any thread.
  TicketKeys& tickets() const { return tickets_; }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  ServerTls() = default;

  using Identity = std::array<unsigned char, 32>;  // SHA-256

  static std::optional<Identity> identity_of(ssl_ctx_st* context, const config::ListenerTlsSettings& settings);

  mutable TicketKeys tickets_;
  std::unique_ptr<ssl_ctx_st, Free> context_;
  Identity identity_{};
};

}  // namespace keygate::proxy
