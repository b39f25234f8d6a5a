// Joins what a test speaks plainly to what the other end speaks: TLS, a unix socket, or both. Takes connections at one
// end, opens one at the other for each, and passes bytes both ways. Real OpenSSL on both sides.
#pragma once

#include "tests/support/certificate.hpp"
#include "tests/support/socket.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace keygate::test {

using TlsSettings = std::shared_ptr<ssl_ctx_st>;

// Shows `own`. `client_ca`: PEM; who has no certificate of its is sent away.
TlsSettings tls_server(const Certificate& own, const std::string& client_ca = "");
// Believes `ca` alone; shows `own` where it has one.
TlsSettings tls_client(const std::string& ca, const Certificate& own = {});

struct BridgeEnd {
  std::uint16_t port = 0;  // where it goes; of the near end, 0: a free one
  std::string socket{};    // path of a unix socket, instead
  TlsSettings tls{};
  std::string name{};     // the server's, which the far end asks for and expects
  std::string preface{};  // sent before everything else, TLS too
};

// Of one handshake.
struct Handshake {
  bool is_done = false;
  bool is_resumed = false;
  std::string protocol;     // by ALPN
  std::string version;      // TLSv1.3
  std::string server_name;  // asked for by SNI
  std::string peer;         // the common name in the other's certificate
};

class Bridge {
 public:
  Bridge(BridgeEnd near, BridgeEnd far);
  ~Bridge();
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  std::uint16_t port() const { return listening_.port; }
  std::vector<Handshake> handshakes() const;  // in the order in which they ended, good or bad
  // Connections are ended without a word of TLS (no close_notify) when the far end ends them.
  void be_rude() { is_rude_ = true; }

 private:
  void accept_all();
  void serve(Socket near);
  void shake(ssl_st* tls);

  BridgeEnd near_, far_;
  Listening listening_;
  std::atomic<bool> is_stopping_ = false, is_rude_ = false;
  mutable std::mutex mutex_;
  std::vector<Handshake> handshakes_;
  std::vector<std::thread> threads_;
  std::shared_ptr<void> session_;  // of the far end, to be resumed
  std::thread acceptor_;
};

// A stream socket bound to `path` and listening, or connected to who listens there. Throws std::system_error.
Socket listen_on_path(const std::string& path);
Socket connect_to_path(const std::string& path);

}  // namespace keygate::test
