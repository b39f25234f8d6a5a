#include "tests/support/tls_client.hpp"

#include "tests/support/patience.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <pthread.h>
#include <signal.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>

namespace keygate::test {

TlsClient::TlsClient(std::uint16_t port, const TlsSettings& settings)
    : socket_(connect_to(port)), tls_(SSL_new(settings.get()), SSL_free) {
  // OpenSSL writes to who may have left; only this thread is to bear it.
  sigset_t left;
  sigemptyset(&left);
  sigaddset(&left, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &left, nullptr);
  const timeval limit{patience.count(), 0};
  ::setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  SSL_set_fd(tls_.get(), socket_.fd());
  SSL_set_connect_state(tls_.get());
  if (SSL_do_handshake(tls_.get()) != 1) throw std::runtime_error("the handshake fails");
}

bool TlsClient::send(std::string_view bytes) {
  return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
}

Response TlsClient::read_response() {
  for (bool is_end = false;;) {
    if (auto response = test::read_response(unread_, AnswerTo::get, is_end)) {
      unread_.erase(0, response->size);
      return *response;
    }
    if (is_end) throw std::runtime_error("the connection ends before the answer does: " + unread_);
    std::array<char, 16 * 1024> block;
    const int size = SSL_read(tls_.get(), block.data(), block.size());
    if (size <= 0 && SSL_get_error(tls_.get(), size) == SSL_ERROR_WANT_READ) {
      throw std::runtime_error("no answer in time: " + unread_);
    }
    is_end = size <= 0;
    if (size > 0) {
      unread_.append(block.data(), static_cast<std::size_t>(size));
      received_ += static_cast<std::size_t>(size);
    }
  }
}

Response TlsClient::ask(std::string_view request) {
  send(request);
  return read_response();
}

std::string TlsClient::peer() const {
  std::array<char, 256> text{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(tls_.get())), NID_commonName, text.data(),
                            text.size());
  return text.data();
}

}  // namespace keygate::test
