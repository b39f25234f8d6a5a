// What a TLS connection to an upstream is made with: whom we believe, and who we are. Read once a configuration, on the
// control thread; then shared by all workers.
#pragma once

#include "config/fault.hpp"
#include "config/settings.hpp"
#include "keys/client_tls.hpp"
#include "proxy/stream.hpp"
#include "proxy/tls_digest.hpp"

#include <memory>
#include <optional>
#include <string>

struct ssl_session_st;

namespace keygate::proxy {

// The session that the other end last gave us: the next handshake is shorter with it. Of one worker.
class TlsSession {
 public:
  TlsSession() = default;
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  void keep(ssl_session_st* session);
  ssl_session_st* get() const { return session_; }

 private:
  ssl_session_st* session_ = nullptr;
};

class UpstreamTls {
 public:
  static config::Parsed<std::shared_ptr<const UpstreamTls>> load(const config::UpstreamTlsSettings& settings);

  // For a connection to `host`, or to server_name where that is set; `session` outlives it. Null where OpenSSL does not
  // take the name.
  TlsHandle prepare(const std::string& host, TlsSession& session) const;

  // Whether `other` was made of the same.
  bool is_same(const UpstreamTls& other) const {
    return made_of_ && made_of_ == other.made_of_ && server_name_ == other.server_name_;
  }

 private:
  UpstreamTls() = default;

  std::shared_ptr<const keys::ClientTls> client_;
  std::string server_name_;
  std::optional<TlsDigest::Value> made_of_;
};

}  // namespace keygate::proxy
