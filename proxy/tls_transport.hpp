// What OpenSSL reads from and writes to in place of a socket of its own: it is not let read without end in one call,
// and never has a record half written, in the middle of which it could not answer what the other side asks
// (docs/threats.md, D-07). Used by stream alone.
#pragma once

#include "proxy/sockets.hpp"

#include <cstddef>
#include <string>

struct ssl_st;

namespace keygate::proxy {

class TlsTransport {
 public:
  // A call of OpenSSL reads until it has found data of the application, however many other records come before: after
  // so many bytes it is told that there are none. A record has at most 16,645.
  static constexpr std::size_t most_read = 20 * 1024;
  // Of what the socket has not taken. Beyond it OpenSSL waits.
  static constexpr std::size_t most_unsent = 64 * 1024;

  // The descriptor stays the caller's. `tls` reads and writes through this from here on; this outlives it.
  TlsTransport(int socket, ssl_st& tls);
  TlsTransport(const TlsTransport&) = delete;
  TlsTransport& operator=(const TlsTransport&) = delete;

  void begin_call() { may_read_ = most_read; }
  bool has_unsent() const { return sent_ < unsent_.size(); }
  // Sends what the socket takes now. would_block: some is left.
  error_code flush();
  // The descriptor is closed, and its number may be another's.
  void detach() { socket_ = -1; }

  // For OpenSSL; the results are a BIO's.
  int read(char* into, int size, bool& is_retry);
  int write(const char* bytes, int size, bool& is_retry);
  bool is_at_end() const { return is_at_end_; }

 private:
  int socket_;
  std::size_t may_read_ = most_read;
  std::string unsent_;  // holds memory only while there is something
  std::size_t sent_ = 0;
  bool is_at_end_ = false;
};

}  // namespace keygate::proxy
