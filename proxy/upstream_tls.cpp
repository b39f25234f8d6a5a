#include "proxy/upstream_tls.hpp"

#include "proxy/certificate.hpp"

#include <openssl/ssl.h>

#include <cstdlib>
#include <span>
#include <sys/stat.h>
#include <utility>
#include <variant>

namespace keygate::proxy {
namespace {

// Where a connection's TlsSession is found.
int session_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int on_new_session(SSL* tls, SSL_SESSION* session) {
  auto* const place = static_cast<TlsSession*>(SSL_get_ex_data(tls, session_index()));
  if (place == nullptr) {
    return 0;
  }
  place->keep(session);
  return 1;  // it is ours now
}

// The system's certificates are looked up as they are needed: of the places where they lie, when they last changed.
void add_system_trust(TlsDigest& digest) {
  const auto place = [](const char* variable, const char* usual) {
    const char* const said = std::getenv(variable);
    return said != nullptr ? said : usual;
  };
  for (const char* const path : {place(X509_get_default_cert_dir_env(), X509_get_default_cert_dir()),
                                 place(X509_get_default_cert_file_env(), X509_get_default_cert_file())}) {
    struct stat found {};
    if (::stat(path, &found) == 0) {
      digest.add(std::as_bytes(std::span(&found.st_mtim, 1)));
      digest.add(std::as_bytes(std::span(&found.st_ino, 1)));
    }
  }
}

}  // namespace

TlsSession::~TlsSession() { SSL_SESSION_free(session_); }

void TlsSession::keep(SSL_SESSION* session) { SSL_SESSION_free(std::exchange(session_, session)); }

config::Parsed<std::shared_ptr<const UpstreamTls>> UpstreamTls::load(const config::UpstreamTlsSettings& settings) {
  auto client = keys::ClientTls::load(settings.ca_file);
  if (auto* const fault = std::get_if<config::Fault>(&client)) {
    return std::move(*fault);
  }
  std::shared_ptr<UpstreamTls> tls(new UpstreamTls);
  tls->client_ = std::move(std::get<std::shared_ptr<const keys::ClientTls>>(client));
  tls->server_name_ = settings.server_name;
  SSL_CTX* const context = tls->client_->context().native_handle();
  set_common_options(context);
  static constexpr unsigned char only_http11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context, only_http11, sizeof only_http11);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_new_session);
  if (!settings.certificate_file.empty()) {
    if (auto fault = use_certificate(context, settings.certificate_file, settings.private_key_file)) {
      return std::move(*fault);
    }
  }
  TlsDigest digest;
  digest.add_parts(context);
  if (settings.ca_file.empty()) {
    add_system_trust(digest);
  }
  tls->made_of_ = digest.take();
  return std::shared_ptr<const UpstreamTls>(std::move(tls));
}

TlsHandle UpstreamTls::prepare(const std::string& host, TlsSession& session) const {
  TlsHandle tls(SSL_new(client_->context().native_handle()));
  if (!tls || !keys::expect_host(tls.get(), server_name_.empty() ? host : server_name_)) {
    return nullptr;
  }
  SSL_set_ex_data(tls.get(), session_index(), &session);
  if (session.get() != nullptr) {
    SSL_set_session(tls.get(), session.get());
  }
  return tls;
}

}  // namespace keygate::proxy
