// The bytes of one connection, to a client or to an upstream: a socket, with TLS over it or without. The plain one
// costs a comparison more than its socket alone, and no memory. One read and one write may be under way at a time.
#pragma once

#include "proxy/sockets.hpp"
#include "proxy/tls_transport.hpp"
#include "proxy/to_send.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <tuple>
#include <utility>

struct ssl_st;
struct ssl_ctx_st;

namespace keygate::proxy {

struct FreeTls {
  void operator()(ssl_st* tls) const;
};
using TlsHandle = std::unique_ptr<ssl_st, FreeTls>;

// How much was read or written; an error where it ended early.
using Transfer = std::tuple<error_code, std::size_t>;

class Stream {
 public:
  explicit Stream(net::io_context& io) : socket_(io) {}  // to connect with
  Stream(StreamSocket connected, bool is_local) : socket_(std::move(connected)), is_local_(is_local) {}
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Awaitable<Transfer> read_some(net::mutable_buffer into) {
    if (tls_ != nullptr) [[unlikely]] {
      return read_secured(into);
    }
    return socket_.async_read_some(into, use_tuple);
  }

  // Whatever is taken at once: nearly always all of it. `message` has a piece.
  Awaitable<Transfer> send_some(const ToSend& message) {
    if (tls_ != nullptr) [[unlikely]] {
      return send_secured(message);
    }
    if (is_local_) [[unlikely]] {
      return send_counted(message);
    }
    if (message.count == 1) {
      return socket_.async_send(message.buffers[0], use_tuple);
    }
    return socket_.async_send(message.buffers, use_tuple);
  }

  // All of it.
  Awaitable<Transfer> send(const ToSend& message);
  Awaitable<Transfer> send(std::string_view bytes);

  // Until there is something to read, without room for it.
  Awaitable<std::tuple<error_code>> wait_readable() {
    if (tls_ != nullptr) [[unlikely]] {
      return wait_secured();
    }
    return socket_.async_wait(net::socket_base::wait_read, use_tuple);
  }

  // Until something has come over the wire, whatever it may mean.
  Awaitable<error_code> wait_raw();

  Awaitable<error_code> connect(StreamEndpoint endpoint);

  // TLS from here on. The errors are TlsError's or the socket's. `accept`: we are the server.
  Awaitable<error_code> accept_tls(ssl_ctx_st& context);
  Awaitable<error_code> start_tls(TlsHandle prepared);

  bool is_secure() const { return tls_ != nullptr; }
  bool is_open() const { return socket_.is_open(); }
  bool is_local() const { return is_local_; }
  int native_handle() { return socket_.native_handle(); }
  ssl_st* tls() { return tls_.get(); }

  // Ends what waits; the connection stands.
  void cancel();
  void close();
  // Only where nothing waits, and not of TLS: the descriptor, which is the caller's from now on. -1: it stays here.
  int release();
  // Closing takes back what has not been delivered, so that the other end cannot take it for the whole.
  void reset_on_close();
  // No more comes from us. In TLS that is said first (close_notify), which may have to wait for a reader.
  Awaitable<void> finish_sending();
  // Whether the other end has closed, or said something nobody asked for. One system call.
  bool is_stale();
  // Grows as the other end takes what it is sent. One system call.
  std::uint64_t progress();

 private:
  Awaitable<Transfer> read_secured(net::mutable_buffer into);
  Awaitable<std::tuple<error_code>> wait_secured();
  Awaitable<Transfer> send_secured(const ToSend& message);
  Awaitable<Transfer> send_counted(const ToSend& message);
  Awaitable<Transfer> send_in_steps(ToSend message);
  bool begin_tls();
  Awaitable<error_code> shake_hands();
  // Until the socket has taken all that TLS has written.
  Awaitable<error_code> flush();
  // What has to pass before the call that returned `result` is made again; an error: nothing will help.
  Awaitable<error_code> overcome(int result);
  Awaitable<bool> pause();

  StreamSocket socket_;
  std::unique_ptr<TlsTransport> transport_;
  TlsHandle tls_;
  bool is_local_ = false;      // a unix socket
  bool is_broken_ = false;     // TLS can say no more
  std::uint8_t unpaused_ = 0;  // operations of TLS since the last one that had to wait
  std::uint32_t cancels_ = 0;
  std::uint64_t taken_ = 0;  // of a unix socket: bytes that the system has taken
};

}  // namespace keygate::proxy
