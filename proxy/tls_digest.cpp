#include "proxy/tls_digest.hpp"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace keygate::proxy {

TlsDigest::TlsDigest() : context_(EVP_MD_CTX_new()) {
  is_good_ = context_ != nullptr && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1;
}

TlsDigest::~TlsDigest() { EVP_MD_CTX_free(context_); }

void TlsDigest::add(std::span<const unsigned char> bytes) {
  is_good_ = is_good_ && EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1;
}

void TlsDigest::add(const X509* certificate) {
  Value digest{};
  is_good_ = is_good_ && X509_digest(certificate, EVP_sha256(), digest.data(), nullptr) == 1;
  add(digest);
}

void TlsDigest::add(const X509_NAME* name) {
  Value digest{};
  is_good_ = is_good_ && X509_NAME_digest(name, EVP_sha256(), digest.data(), nullptr) == 1;
  add(digest);
}

void TlsDigest::add_parts(SSL_CTX* context) {
  if (const X509* const own = SSL_CTX_get0_certificate(context)) {
    add(own);
  }
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context, &chain);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    add(sk_X509_value(chain, i));
  }
  add('|');
  const STACK_OF(X509_OBJECT)* const trusted = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
  for (int i = 0; i < sk_X509_OBJECT_num(trusted); ++i) {
    if (const X509* const one = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, i))) {
      add(one);
    }
  }
  add('|');
}

std::optional<TlsDigest::Value> TlsDigest::take() {
  Value digest{};
  is_good_ = is_good_ && EVP_DigestFinal_ex(context_, digest.data(), nullptr) == 1;
  return is_good_ ? std::optional(digest) : std::nullopt;
}

}  // namespace keygate::proxy
