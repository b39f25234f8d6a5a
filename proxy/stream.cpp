#include "proxy/stream.hpp"

#include "proxy/tcp_progress.hpp"

#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utility>

namespace keygate::proxy {
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
    if (error) {
      co_return Transfer{error, all};
    }
    const ToSend rest = message.after(sent);
    message = rest;
  }
  co_return Transfer{error_code{}, all};
}

Awaitable<Transfer> Stream::send_counted(const ToSend& message) {
  const auto [error, sent] = co_await socket_.async_send(message.buffers, use_tuple);
  taken_ += sent;
  co_return Transfer{error, sent};
}

Awaitable<error_code> Stream::connect(StreamEndpoint endpoint) {
  close();
  tls_.reset();
  transport_.reset();
  is_broken_ = false;
  is_local_ = endpoint.protocol().family() == AF_UNIX;
  const auto [error] = co_await socket_.async_connect(endpoint, use_tuple);
  if (!error) {
    error_code ignored;
    socket_.set_option(Tcp::no_delay(true), ignored);
  }
  co_return error;
}

Awaitable<error_code> Stream::wait_raw() {
  const auto [error] = co_await socket_.async_wait(net::socket_base::wait_read, use_tuple);
  co_return error;
}

void Stream::cancel() {
  ++cancels_;
  error_code ignored;
  socket_.cancel(ignored);
}

void Stream::close() {
  if (transport_) {
    transport_->detach();
  }
  error_code ignored;
  socket_.close(ignored);
}

int Stream::release() {
  error_code error;
  const int descriptor = socket_.release(error);
  return error ? -1 : descriptor;
}

void Stream::reset_on_close() {
  error_code ignored;
  socket_.set_option(net::socket_base::linger(true, 0), ignored);
}

Awaitable<void> Stream::finish_sending() {
  if (!socket_.is_open()) {
    co_return;
  }
  if (is_secure() && !is_broken_ && SSL_is_init_finished(tls_.get()) == 1) {
    ERR_clear_error();
    SSL_shutdown(tls_.get());
    co_await flush();
  }
  error_code ignored;
  socket_.shutdown(net::socket_base::shutdown_send, ignored);
}

bool Stream::is_stale() {
  char byte = 0;
  if (tls_) {  // a session ticket may lie there, which is none of its client's business
    ERR_clear_error();
    transport_->begin_call();
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
  if (!is_local_) {
    return acknowledged_bytes(socket_.native_handle());
  }
  int unread = 0;  // by the other end, and what keeping it costs; far less than the bytes below
  ::ioctl(socket_.native_handle(), SIOCOUTQ, &unread);
  return (std::uint64_t{1} << 40) + taken_ - static_cast<std::uint64_t>(unread);
}

}  // namespace keygate::proxy
