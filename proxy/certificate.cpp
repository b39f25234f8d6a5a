#include "proxy/certificate.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

namespace keygate::proxy {
namespace {

// OpenSSL would ask at the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

config::Fault unreadable(const std::string& file, const std::string& what) {
  const unsigned long code = ERR_peek_last_error();
  const char* const reason = ERR_reason_error_string(code);
  return {config::quoted(file) + " cannot be read as " + what + (reason != nullptr ? std::string(": ") + reason : ""),
          "it has to be a PEM file that this process may read, without a passphrase"};
}

}  // namespace

void set_common_options(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // A record that is none of the application's ends the call: others have their turn.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

std::optional<config::Fault> use_certificate(SSL_CTX* context, const std::string& certificate_file,
                                             const std::string& private_key_file) {
  ERR_clear_error();
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    return unreadable(certificate_file, "a certificate");
  }
  const X509* const own = SSL_CTX_get0_certificate(context);
  if (X509_cmp_current_time(X509_get0_notAfter(own)) <= 0) {
    return config::Fault{config::quoted(certificate_file) + " has expired", "renew it"};
  }
  if (X509_cmp_current_time(X509_get0_notBefore(own)) >= 0) {
    return config::Fault{config::quoted(certificate_file) + " is not valid yet", "is the clock of this machine right?"};
  }
  // A key of another certificate is refused here as well.
  if (SSL_CTX_use_PrivateKey_file(context, private_key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) {
      return config::Fault{config::quoted(private_key_file) + " is not the key of " + config::quoted(certificate_file),
                           ""};
    }
    return unreadable(private_key_file, "a private key");
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return config::Fault{config::quoted(private_key_file) + " is not the key of " + config::quoted(certificate_file),
                         ""};
  }
  return std::nullopt;
}

std::string peer_subject(const SSL* tls) {
  const X509* const peer = SSL_get0_peer_certificate(tls);
  if (peer == nullptr) {
    return {};
  }
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
  if (!memory || X509_NAME_print_ex(memory.get(), X509_get_subject_name(peer), 0, XN_FLAG_RFC2253) < 0) {
    return {};
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, std::min(static_cast<std::size_t>(std::max(size, 0L)), max_subject)};
}

}  // namespace keygate::proxy
