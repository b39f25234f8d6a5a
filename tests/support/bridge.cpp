#include "tests/support/bridge.hpp"

#include "tests/support/patience.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <signal.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <utility>

namespace keygate::test {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Tls = std::unique_ptr<SSL, decltype(&SSL_free)>;

Bio bio_of(const std::string& text) { return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free}; }

void use(SSL_CTX* context, const Certificate& own) {
  const auto certificate = bio_of(own.certificate), key = bio_of(own.private_key);
  X509* const shown = PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr);
  EVP_PKEY* const secret = PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr);
  const bool is_used = SSL_CTX_use_certificate(context, shown) == 1 && SSL_CTX_use_PrivateKey(context, secret) == 1;
  X509_free(shown);
  EVP_PKEY_free(secret);
  if (!is_used) throw std::runtime_error("a test certificate cannot be used");
}

void trust(SSL_CTX* context, const std::string& ca) {
  const auto bio = bio_of(ca);
  X509* const authority = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority);
  X509_free(authority);
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

// Plain, or TLS over it. Blocking.
struct Wire {
  const Socket& socket;
  SSL* tls;

  bool has_more() const { return tls != nullptr && SSL_pending(tls) > 0; }
  long read(char* into, int size) const {
    return tls != nullptr ? SSL_read(tls, into, size) : ::recv(socket.fd(), into, static_cast<std::size_t>(size), 0);
  }
  bool write(const char* from, long size) const {
    if (tls != nullptr) return SSL_write(tls, from, static_cast<int>(size)) == size;
    return socket.send({from, static_cast<std::size_t>(size)});
  }
  void finish(bool is_rude) const {
    if (tls != nullptr && !is_rude) SSL_shutdown(tls);
    socket.shut_down_sending();
  }
};

// False: `from` has ended.
bool pass(const Wire& from, const Wire& to) {
  std::array<char, 16 * 1024> block;
  const long size = from.read(block.data(), static_cast<int>(block.size()));
  // A session ticket, say, and nothing for us: not to be waited behind.
  if (size < 0 && from.tls != nullptr && SSL_get_error(from.tls, static_cast<int>(size)) == SSL_ERROR_WANT_READ) {
    return true;
  }
  return size > 0 && to.write(block.data(), size);
}

}  // namespace

Socket listen_on_path(const std::string& path) {
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = address_of(path);
  auto* const generic = static_cast<sockaddr*>(static_cast<void*>(&address));
  if (::bind(socket.fd(), generic, sizeof address) != 0 || ::listen(socket.fd(), 16) != 0) {
    throw std::system_error(errno, std::generic_category(), "listen on " + path);
  }
  return socket;
}

Socket connect_to_path(const std::string& path) {
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = address_of(path);
  if (::connect(socket.fd(), static_cast<sockaddr*>(static_cast<void*>(&address)), sizeof address) != 0) {
    throw std::system_error(errno, std::generic_category(), "connect to " + path);
  }
  return socket;
}

TlsSettings tls_server(const Certificate& own, const std::string& client_ca) {
  TlsSettings context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  use(context.get(), own);
  static constexpr unsigned char id[] = {'t'};
  SSL_CTX_set_session_id_context(context.get(), id, sizeof id);
  SSL_CTX_set_alpn_select_cb(
      context.get(),
      [](SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered, unsigned int all,
         void*) {
        if (all < 1) return SSL_TLSEXT_ERR_NOACK;
        *size = offered[0];
        *chosen = offered + 1;
        return SSL_TLSEXT_ERR_OK;
      },
      nullptr);
  if (!client_ca.empty()) {
    trust(context.get(), client_ca);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

TlsSettings tls_client(const std::string& ca, const Certificate& own) {
  TlsSettings context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  trust(context.get(), ca);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (!own.certificate.empty()) use(context.get(), own);
  static constexpr unsigned char http11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context.get(), http11, sizeof http11);
  return context;
}

Bridge::Bridge(BridgeEnd near, BridgeEnd far) : near_(std::move(near)), far_(std::move(far)) {
  if (near_.socket.empty()) {
    listening_ = listen_on_loopback(near_.port);
  } else {
    listening_.socket = listen_on_path(near_.socket);
  }
  acceptor_ = std::thread([this] { accept_all(); });
}

Bridge::~Bridge() {
  is_stopping_ = true;
  listening_.socket.shut_down();
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
}

std::vector<Handshake> Bridge::handshakes() const {
  const std::lock_guard lock(mutex_);
  return handshakes_;
}

void Bridge::accept_all() {
  while (!is_stopping_) {
    Socket near(::accept4(listening_.socket.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!near.is_open()) continue;
    threads_.emplace_back([this, taken = std::move(near)]() mutable { serve(std::move(taken)); });
  }
}

void Bridge::shake(SSL* tls) {
  Handshake made;
  made.is_done = SSL_do_handshake(tls) == 1;
  made.is_resumed = SSL_session_reused(tls) == 1;
  made.version = SSL_get_version(tls);
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(tls, &protocol, &size);
  made.protocol.assign(protocol, protocol + size);
  if (const char* const name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name)) made.server_name = name;
  if (X509* const peer = SSL_get1_peer_certificate(tls)) {
    std::array<char, 256> text{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, text.data(), text.size());
    made.peer = text.data();
    X509_free(peer);
  }
  const std::lock_guard lock(mutex_);
  handshakes_.push_back(std::move(made));
}

void Bridge::serve(Socket near) {
  // OpenSSL writes to who may have left; only this thread is to bear it.
  sigset_t left;
  sigemptyset(&left);
  sigaddset(&left, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &left, nullptr);
  Socket far;
  try {
    far = far_.socket.empty() ? connect_to(far_.port) : connect_to_path(far_.socket);
  } catch (const std::system_error&) {
    return;
  }
  far.send(far_.preface);
  Tls near_tls(nullptr, SSL_free), far_tls(nullptr, SSL_free);
  if (near_.tls) {
    near_tls.reset(SSL_new(near_.tls.get()));
    SSL_set_fd(near_tls.get(), near.fd());
    SSL_set_accept_state(near_tls.get());
    shake(near_tls.get());
  }
  if (far_.tls) {
    far_tls.reset(SSL_new(far_.tls.get()));
    SSL_set_fd(far_tls.get(), far.fd());
    SSL_set_connect_state(far_tls.get());
    std::string name = far_.name;
    SSL_ctrl(far_tls.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
    SSL_set1_host(far_tls.get(), name.c_str());
    if (session_) SSL_set_session(far_tls.get(), static_cast<SSL_SESSION*>(session_.get()));
    shake(far_tls.get());
  }
  if (!handshakes().empty() && !handshakes().back().is_done) {
    // What it said of it is heard only by who is not reset.
    std::string rest;
    near.shut_down_sending();
    far.shut_down_sending();
    while (near_.tls && receive(near, rest, std::chrono::seconds(1)) == Arrival::bytes) continue;
    return;
  }
  for (SSL* const tls : {near_tls.get(), far_tls.get()}) {
    if (tls != nullptr) SSL_clear_mode(tls, SSL_MODE_AUTO_RETRY);
  }
  const Wire one{near, near_tls.get()}, other{far, far_tls.get()};
  bool is_near_open = true, is_far_open = true;
  while (!is_stopping_ && (is_near_open || is_far_open)) {
    std::array<pollfd, 2> waiting{pollfd{is_near_open ? near.fd() : -1, POLLIN, 0},
                                  pollfd{is_far_open ? far.fd() : -1, POLLIN, 0}};
    const bool is_pending = one.has_more() || other.has_more();
    ::poll(waiting.data(), waiting.size(), is_pending ? 0 : 20);
    if (is_near_open && (waiting[0].revents != 0 || one.has_more()) && !pass(one, other)) {
      is_near_open = false;
      other.finish(false);
    }
    if (is_far_open && (waiting[1].revents != 0 || other.has_more()) && !pass(other, one)) {
      is_far_open = false;
      if (far_tls) {
        session_ = {SSL_get1_session(far_tls.get()),
                    [](void* kept) { SSL_SESSION_free(static_cast<SSL_SESSION*>(kept)); }};
      }
      one.finish(is_rude_);
    }
  }
}

}  // namespace keygate::test
