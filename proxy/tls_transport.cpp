#include "proxy/tls_transport.hpp"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

namespace keygate::proxy {
namespace {

TlsTransport& transport_of(BIO* bio) { return *static_cast<TlsTransport*>(BIO_get_data(bio)); }

int read_for(BIO* bio, char* into, int size) {
  bool is_retry = false;
  BIO_clear_retry_flags(bio);
  const int result = transport_of(bio).read(into, size, is_retry);
  if (is_retry) {
    BIO_set_retry_read(bio);
  }
  return result;
}

int write_for(BIO* bio, const char* bytes, int size) {
  bool is_retry = false;
  BIO_clear_retry_flags(bio);
  const int result = transport_of(bio).write(bytes, size, is_retry);
  if (is_retry) {
    BIO_set_retry_write(bio);
  }
  return result;
}

long control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) {
    return transport_of(bio).is_at_end() ? 1 : 0;
  }
  return command == BIO_CTRL_FLUSH ? 1 : 0;  // what is unsent is the stream's to flush
}

const BIO_METHOD* method() {
  static const BIO_METHOD* const one = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "keygate");
    BIO_meth_set_read(made, read_for);
    BIO_meth_set_write(made, write_for);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  return one;
}

bool is_would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

TlsTransport::TlsTransport(int socket, ssl_st& tls) : socket_(socket) {
  BIO* const bio = BIO_new(method());
  if (bio == nullptr) {
    return;  // every call of OpenSSL fails
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(&tls, bio, bio);
}

int TlsTransport::read(char* into, int size, bool& is_retry) {
  const std::size_t room = std::min(static_cast<std::size_t>(size), may_read_);
  if (room == 0) {
    is_retry = true;
    return -1;
  }
  const ssize_t result = ::recv(socket_, into, room, MSG_DONTWAIT);
  if (result > 0) {
    may_read_ -= static_cast<std::size_t>(result);
  }
  is_at_end_ = result == 0;
  is_retry = result < 0 && is_would_block(errno);
  return static_cast<int>(result);
}

int TlsTransport::write(const char* bytes, int size, bool& is_retry) {
  const auto all = static_cast<std::size_t>(size);
  if (unsent_.size() - sent_ + all > most_unsent) {
    is_retry = true;
    return -1;
  }
  unsent_.erase(0, sent_);  // what has gone takes no room, however long something is left
  sent_ = 0;
  std::size_t taken = 0;
  if (!has_unsent()) {
    const ssize_t result = ::send(socket_, bytes, all, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (result < 0 && !is_would_block(errno)) {
      return -1;
    }
    taken = result > 0 ? static_cast<std::size_t>(result) : 0;
  }
  unsent_.append(bytes + taken, all - taken);
  return size;
}

error_code TlsTransport::flush() {
  while (has_unsent()) {
    const ssize_t result = ::send(socket_, unsent_.data() + sent_, unsent_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (result < 0) {
      return is_would_block(errno) ? error_code(net::error::would_block)
                                   : error_code(errno, boost::system::system_category());
    }
    sent_ += static_cast<std::size_t>(result);
  }
  std::string().swap(unsent_);
  sent_ = 0;
  return {};
}

}  // namespace keygate::proxy
