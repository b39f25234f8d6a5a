// One connection to an HTTP server, plain or with TLS: connect, send, read one response within bounds.
// Used by http_client, on its worker's thread. What happens on it is ended by abort, as all waiting is by its owner.
#pragma once

#include "keys/asio.hpp"
#include "keys/client_tls.hpp"
#include "keys/http_message.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace keygate::keys {

inline constexpr std::size_t max_response_head = 16 * 1024;
inline constexpr std::size_t max_response_body = 64 * 1024;
inline constexpr int max_interim_responses = 8;

// Why there is no response, for the log; it tells nothing of what was sent or received.
struct HttpFailure {
  enum class Kind : std::uint8_t { none, broken, unfit };  // broken: off; unfit: no response that is taken
  Kind kind = Kind::none;
  std::string cause;
  explicit operator bool() const { return kind != Kind::none; }
};

struct HttpReading {
  HttpFailure failure;
  bool has_begun = false;    // a byte has come
  bool may_be_kept = false;  // the connection, for another request
  HttpResponse response;
};

class HttpConnection {
 public:
  using Endpoint = net::ip::tcp::endpoint;

  explicit HttpConnection(net::io_context& io);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // These are for one coroutine at a time, which holds this connection meanwhile.
  // `limit`: on connecting to this endpoint alone.
  Awaitable<HttpFailure> connect(Endpoint endpoint, std::chrono::steady_clock::duration limit);
  // `tls` and `host` are the caller's until this ends.
  Awaitable<HttpFailure> secure(const ClientTls& tls, const std::string& host);
  Awaitable<HttpFailure> send(std::string_view request);
  // A final response with a head of at most 16 KiB and a body of at most 64 KiB, not encoded, after at most eight
  // interim ones.
  Awaitable<HttpReading> read();

  // Ends what waits on it, and the connection.
  void abort();
  // Whether the server has closed it, or has said what nobody asked for. One system call.
  bool is_stale();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keygate::keys
