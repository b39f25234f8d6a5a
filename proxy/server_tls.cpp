#include "proxy/server_tls.hpp"

#include "proxy/certificate.hpp"
#include "proxy/session_tickets.hpp"
#include "proxy/tls_digest.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string_view>
#include <utility>

namespace keygate::proxy {
namespace {

// Forward secrecy and authenticated encryption, nothing else; TLS 1.3 has no other.
constexpr const char* tls12_ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL";
constexpr std::string_view spoken("\x08http/1.1\x08http/1.0", 18);  // the better one first

// A client that names protocols and none of these cannot be talked to (RFC 7301 §3.2).
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  unsigned char* found = nullptr;
  const auto* const ours = reinterpret_cast<const unsigned char*>(spoken.data());
  const int outcome =
      SSL_select_next_proto(&found, size, ours, static_cast<unsigned int>(spoken.size()), offered, offered_size);
  *chosen = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::optional<config::Fault> trust_clients(SSL_CTX* context, const config::ListenerTlsSettings& settings) {
  if (settings.client_certificate == config::ClientCertificate::none) {
    return std::nullopt;
  }
  ERR_clear_error();
  auto* const names = SSL_load_client_CA_file(settings.client_ca_file.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(context, settings.client_ca_file.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return config::Fault{config::quoted(settings.client_ca_file) + " cannot be read as certificates",
                         "it has to be a PEM file that this process may read"};
  }
  SSL_CTX_set_client_CA_list(context, names);
  const bool is_required = settings.client_certificate == config::ClientCertificate::required;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  return std::nullopt;
}

}  // namespace

// Of what was read, not of the files, which may be others by now. The private key is the certificate's.
std::optional<ServerTls::Identity> ServerTls::identity_of(SSL_CTX* context,
                                                          const config::ListenerTlsSettings& settings) {
  TlsDigest digest;
  digest.add(static_cast<unsigned char>(settings.client_certificate));
  digest.add(static_cast<unsigned char>(settings.needs_tls13));
  digest.add_parts(context);
  const STACK_OF(X509_NAME)* const names = SSL_CTX_get_client_CA_list(context);
  for (int i = 0; i < sk_X509_NAME_num(names); ++i) {
    digest.add(sk_X509_NAME_value(names, i));
  }
  return digest.take();
}

void ServerTls::Free::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

config::Parsed<std::shared_ptr<const ServerTls>> ServerTls::load(const config::ListenerTlsSettings& settings) {
  std::shared_ptr<ServerTls> tls(new ServerTls);
  tls->context_.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const context = tls->context_.get();
  if (context == nullptr ||
      SSL_CTX_set_min_proto_version(context, settings.needs_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, tls12_ciphers) != 1) {
    return config::Fault{"OpenSSL does not offer what TLS needs here", ""};
  }
  set_common_options(context);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_max_early_data(context, 0);  // what comes early can be replayed
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  if (auto fault = use_certificate(context, settings.certificate_file, settings.private_key_file)) {
    return std::move(*fault);
  }
  if (auto fault = trust_clients(context, settings)) {
    return std::move(*fault);
  }
  // What a session was begun under is what it is resumed under: tickets of others are not ours to open, nor to believe.
  const std::optional<Identity> identity = identity_of(context, settings);
  if (!identity || !resume_by_tickets(context, tls->tickets_) ||
      SSL_CTX_set_session_id_context(context, identity->data(), static_cast<unsigned int>(identity->size())) != 1) {
    return config::Fault{"OpenSSL does not offer what session tickets need here", ""};
  }
  tls->identity_ = *identity;
  return std::shared_ptr<const ServerTls>(std::move(tls));
}

}  // namespace keygate::proxy
