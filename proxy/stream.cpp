#include "proxy/stream.hpp"

#include "proxy/tcp_progress.hpp"
#include "proxy/tls_error.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <utility>

namespace keygate::proxy {
namespace {

constexpr std::size_t record_size = 16 * 1024;  // a TLS record holds no more
constexpr std::uint8_t most_unpaused = 8;

// Small pieces, head and body say, go out as one record. The bytes are encrypted before anything else runs.
net::const_buffer one_record(const ToSend& message) {
  static thread_local std::array<char, record_size> room;
  if (message.count == 1 || message.buffers[0].size() >= record_size) {
    return message.buffers[0];
  }
  std::size_t used = 0;
  for (std::size_t i = 0; i < message.count && used < record_size; ++i) {
    const std::size_t size = std::min(message.buffers[i].size(), record_size - used);
    std::memcpy(room.data() + used, message.buffers[i].data(), size);
    used += size;
  }
  return {room.data(), used};
}

error_code failure_of(SSL* tls) {
  const unsigned long code = ERR_peek_error();
  const int reason = ERR_GET_REASON(code);
  if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return TlsError::cut_off;
  }
  if (reason >= SSL_AD_REASON_OFFSET && ERR_GET_LIB(code) == ERR_LIB_SSL) {
    return TlsError::alert;
  }
  return SSL_get_verify_result(tls) != X509_V_OK ? TlsError::certificate : TlsError::protocol;
}

}  // namespace

// The session can be resumed unless it was TLS that failed; OpenSSL would have it that we said good-bye.
Stream::~Stream() {
  if (tls_ && !is_broken_) {
    SSL_set_shutdown(tls_.get(), SSL_SENT_SHUTDOWN);
  }
}

void FreeTls::operator()(ssl_st* tls) const { SSL_free(tls); }

Awaitable<Transfer> Stream::send(const ToSend& message) {
  if (is_local_ || tls_ != nullptr) {
    return send_in_steps(message);
  }
  if (message.count == 1) {
    return net::async_write(socket_, message.buffers[0], use_tuple);
  }
  return net::async_write(socket_, message.buffers, use_tuple);
}

Awaitable<Transfer> Stream::send(std::string_view bytes) {
  ToSend message;
  message.add(bytes);
  return send(message);
}

Awaitable<Transfer> Stream::send_in_steps(ToSend message) {
  std::size_t all = 0;
  while (message.size() > 0) {
    const auto [error, sent] = co_await send_some(message);
    all += sent;
    taken_ += sent;
    if (error) {
      co_return Transfer{error, all};
    }
    const ToSend rest = message.after(sent);
    message = rest;
  }
  co_return Transfer{error_code{}, all};
}

Awaitable<error_code> Stream::connect(StreamEndpoint endpoint) {
  close();
  tls_.reset();
  is_broken_ = false;
  is_local_ = endpoint.protocol().family() == AF_UNIX;
  const auto [error] = co_await socket_.async_connect(endpoint, use_tuple);
  if (!error) {
    error_code ignored;
    socket_.set_option(Tcp::no_delay(true), ignored);
  }
  co_return error;
}

Awaitable<error_code> Stream::accept_tls(ssl_ctx_st& context) {
  tls_.reset(SSL_new(&context));
  if (!tls_ || SSL_set_fd(tls_.get(), socket_.native_handle()) != 1) {
    is_broken_ = true;
    co_return TlsError::protocol;
  }
  SSL_set_accept_state(tls_.get());
  const error_code error = co_await shake_hands();
  co_return error;
}

Awaitable<error_code> Stream::start_tls(TlsHandle prepared) {
  tls_ = std::move(prepared);
  if (!tls_ || SSL_set_fd(tls_.get(), socket_.native_handle()) != 1) {
    is_broken_ = true;
    co_return TlsError::protocol;
  }
  SSL_set_connect_state(tls_.get());
  const error_code error = co_await shake_hands();
  co_return error;
}

Awaitable<error_code> Stream::shake_hands() {
  error_code ignored;
  socket_.native_non_blocking(true, ignored);
  while (socket_.is_open()) {
    ERR_clear_error();
    const int result = SSL_do_handshake(tls_.get());
    if (result == 1) {
      co_return error_code{};
    }
    const error_code error = co_await overcome(result);
    if (error) {
      co_return error;
    }
  }
  co_return net::error::operation_aborted;
}

// A descriptor that was closed may be another connection's by now: OpenSSL is not called before the socket is known to
// be open, and nothing runs between the two.
Awaitable<Transfer> Stream::read_secured(net::mutable_buffer into) {
  while (socket_.is_open()) {
    if (++unpaused_ > most_unpaused) {  // others have their turn
      const bool is_cancelled = co_await pause();
      if (is_cancelled) {
        break;
      }
      continue;
    }
    ERR_clear_error();
    std::size_t size = 0;
    const int result = SSL_read_ex(tls_.get(), into.data(), into.size(), &size);
    if (result == 1) {
      co_return Transfer{error_code{}, size};
    }
    const error_code error = co_await overcome(result);
    if (error) {
      co_return Transfer{error, 0};
    }
  }
  co_return Transfer{net::error::operation_aborted, 0};
}

Awaitable<Transfer> Stream::send_secured(const ToSend& message) {
  while (socket_.is_open()) {
    if (++unpaused_ > most_unpaused) {
      const bool is_cancelled = co_await pause();
      if (is_cancelled) {
        break;
      }
      continue;
    }
    const net::const_buffer piece = one_record(message);
    ERR_clear_error();
    std::size_t size = 0;
    const int result = SSL_write_ex(tls_.get(), piece.data(), piece.size(), &size);
    if (result == 1) {
      co_return Transfer{error_code{}, size};
    }
    const error_code error = co_await overcome(result);
    if (error) {
      co_return Transfer{error, 0};
    }
  }
  co_return Transfer{net::error::operation_aborted, 0};
}

// Part of a record may have been read; what else has come lies in the socket still.
Awaitable<std::tuple<error_code>> Stream::wait_secured() {
  if (SSL_pending(tls_.get()) > 0) {
    co_return std::tuple<error_code>{};
  }
  const auto [error] = co_await socket_.async_wait(net::socket_base::wait_read, use_tuple);
  co_return std::tuple<error_code>{error};
}

Awaitable<error_code> Stream::wait_raw() {
  const auto [error] = co_await socket_.async_wait(net::socket_base::wait_read, use_tuple);
  co_return error;
}

// Whether all that waits was cancelled meanwhile.
Awaitable<bool> Stream::pause() {
  unpaused_ = 0;
  const std::uint32_t before = cancels_;
  co_await net::post(socket_.get_executor(), net::use_awaitable_t<Executor>{});
  co_return cancels_ != before;
}

Awaitable<error_code> Stream::overcome(int result) {
  const int system_error = errno;
  const int kind = SSL_get_error(tls_.get(), result);
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
    unpaused_ = 0;
    const std::uint32_t before = cancels_;
    const auto wanted = kind == SSL_ERROR_WANT_READ ? net::socket_base::wait_read : net::socket_base::wait_write;
    const auto [error] = co_await socket_.async_wait(wanted, use_tuple);
    // Cancelled after the wait had ended and before this ran: there is nothing left that will be.
    co_return cancels_ != before ? error_code(net::error::operation_aborted) : error;
  }
  if (kind == SSL_ERROR_ZERO_RETURN) {
    co_return net::error::eof;
  }
  is_broken_ = true;
  if (kind == SSL_ERROR_SYSCALL) {
    co_return system_error == 0 ? error_code(TlsError::cut_off)
                                : error_code(system_error, boost::system::system_category());
  }
  co_return failure_of(tls_.get());
}

void Stream::cancel() {
  ++cancels_;
  error_code ignored;
  socket_.cancel(ignored);
}

void Stream::close() {
  error_code ignored;
  socket_.close(ignored);
}

void Stream::reset_on_close() {
  error_code ignored;
  socket_.set_option(net::socket_base::linger(true, 0), ignored);
}

void Stream::finish_sending() {
  if (!socket_.is_open()) {
    return;
  }
  if (tls_ && !is_broken_ && SSL_is_init_finished(tls_.get()) == 1) {
    ERR_clear_error();
    SSL_shutdown(tls_.get());
  }
  error_code ignored;
  socket_.shutdown(net::socket_base::shutdown_send, ignored);
}

bool Stream::is_stale() {
  char byte = 0;
  if (tls_) {  // a session ticket may lie there, which is none of its client's business
    ERR_clear_error();
    const int result = SSL_peek(tls_.get(), &byte, 1);
    return result > 0 || SSL_get_error(tls_.get(), result) != SSL_ERROR_WANT_READ;
  }
  return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
         (errno != EAGAIN && errno != EWOULDBLOCK);
}

std::uint64_t Stream::progress() {
  if (!socket_.is_open()) {
    return 0;
  }
  return is_local_ ? taken_ : acknowledged_bytes(socket_.native_handle());
}

}  // namespace keygate::proxy
