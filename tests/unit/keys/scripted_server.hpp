// A server that does to each connection what a test says, on a thread for each; plain or with TLS.
#pragma once

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace keygate::keys {

// A key and a certificate that vouches for itself, for `names` such as "DNS:keys.test" or "IP:127.0.0.1".
class TestCertificate {
 public:
  explicit TestCertificate(const std::string& names) : key_(EVP_EC_gen("P-256"), EVP_PKEY_free) {
    X509* const made = X509_new();
    certificate_ = {made, X509_free};
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), -60);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_set_pubkey(made, key_.get());
    X509_NAME* const name = X509_get_subject_name(made);
    const std::string common = "keygate test";
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1,
                               0);
    X509_set_issuer_name(made, name);
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    X509_add_ext(made, extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(made, key_.get(), EVP_sha256());
  }

  void write_to(const std::string& path) const {
    FILE* const file = std::fopen(path.c_str(), "w");
    if (file == nullptr) throw std::runtime_error("no file for a certificate");
    PEM_write_X509(file, certificate_.get());
    std::fclose(file);
  }

  SSL_CTX* new_server_context() const {
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, certificate_.get());
    SSL_CTX_use_PrivateKey(context, key_.get());
    return context;
  }

 private:
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
  std::unique_ptr<X509, void (*)(X509*)> certificate_{nullptr, X509_free};
};

class Wire {
 public:
  Wire(int fd, SSL* tls) : fd_(fd), tls_(tls) {}

  // Head and body by Content-Length; "" where the other end has closed.
  std::string read_request() {
    for (;;) {
      const auto end = unread_.find("\r\n\r\n");
      if (end != std::string::npos) {
        const auto at = unread_.find("Content-Length: ");
        const std::size_t body = at < end ? std::stoul(unread_.substr(at + 16)) : 0;
        if (unread_.size() >= end + 4 + body) {
          std::string request = unread_.substr(0, end + 4 + body);
          unread_.erase(0, request.size());
          return request;
        }
      }
      char bytes[4096];
      const auto count = tls_ != nullptr ? SSL_read(tls_, bytes, sizeof bytes) : ::recv(fd_, bytes, sizeof bytes, 0);
      if (count <= 0) return "";
      unread_.append(bytes, static_cast<std::size_t>(count));
    }
  }

  // False once the other end is gone.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const auto count = tls_ != nullptr ? SSL_write(tls_, text.data(), static_cast<int>(text.size()))
                                         : ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  bool send_json(const std::string& body, const std::string& fields = "") {
    return send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + fields +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }

  void wait_for_close() {
    while (!is_closed_within(std::chrono::milliseconds(1000))) {
    }
  }
  // Takes what comes meanwhile. Plain connections only.
  bool is_closed_within(std::chrono::milliseconds limit) {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(limit.count())) <= 0) return false;
    char bytes[4096];
    const auto count = ::recv(fd_, bytes, sizeof bytes, 0);
    if (count > 0) unread_.append(bytes, static_cast<std::size_t>(count));
    return count <= 0;
  }

 private:
  int fd_;
  SSL* tls_;
  std::string unread_;
};

class ScriptedServer {
 public:
  // `number`: of the connection, from 0. When the script returns, the connection is closed.
  using Script = std::function<void(Wire&, int number)>;

  explicit ScriptedServer(Script script, const TestCertificate* certificate = nullptr)
      : script_(std::move(script)), tls_(certificate != nullptr ? certificate->new_server_context() : nullptr) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, raw, size) != 0 || ::listen(listener_, 512) != 0 ||
        ::getsockname(listener_, raw, &size) != 0) {
      throw std::runtime_error("no listener");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }

  ~ScriptedServer() {
    stop();
    if (tls_ != nullptr) SSL_CTX_free(tls_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

  // Ends connections and listener; the port refuses from then on.
  void stop() {
    if (!acceptor_.joinable()) return;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
  }

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      {
        const std::lock_guard lock(mutex_);
        open_.push_back(fd);
      }
      threads_.emplace_back([this, fd, number = connections_++] { serve(fd, number); });
    }
  }

  void serve(int fd, int number) {
    SSL* tls = nullptr;
    bool is_ready = true;
    if (tls_ != nullptr) {
      tls = SSL_new(tls_);
      SSL_set_fd(tls, fd);
      is_ready = SSL_accept(tls) == 1;
    }
    if (is_ready) {
      Wire wire(fd, tls);
      script_(wire, number);
    }
    if (tls != nullptr) SSL_free(tls);
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
  }

  const Script script_;
  SSL_CTX* const tls_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::thread acceptor_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::vector<int> open_;
};

// Answers each request alike.
inline ScriptedServer::Script always(std::string body) {
  return [body = std::move(body)](Wire& wire, int) {
    while (!wire.read_request().empty() && wire.send_json(body)) {
    }
  };
}

}  // namespace keygate::keys
