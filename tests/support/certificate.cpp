#include "tests/support/certificate.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <random>
#include <stdexcept>
#include <string_view>

namespace keygate::test {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};

template <class T>
using Owned = std::unique_ptr<T, Free>;

template <class T>
Owned<T> owned(T* pointer) {
  if (pointer == nullptr) throw std::runtime_error("OpenSSL cannot make a certificate");
  return Owned<T>(pointer);
}

std::string text_of(BIO* bio) {
  std::string text(BIO_pending(bio), '\0');
  BIO_read(bio, text.data(), static_cast<int>(text.size()));
  return text;
}

std::string pem(X509* certificate) {
  const auto bio = owned(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return text_of(bio.get());
}

std::string pem(EVP_PKEY* key) {
  const auto bio = owned(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const auto extension = owned(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  X509_add_ext(certificate, extension.get(), -1);
}

Owned<EVP_PKEY> new_key() { return owned(EVP_EC_gen("P-256")); }

Owned<X509> unsigned_certificate(EVP_PKEY* key, const std::string& name, long from, long to) {
  auto certificate = owned(X509_new());
  X509_set_version(certificate.get(), 2);
  std::random_device random;
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), random());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), to);
  X509_set_pubkey(certificate.get(), key);
  const std::basic_string<unsigned char> bytes(name.begin(), name.end());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8, bytes.c_str(), -1, -1, 0);
  return certificate;
}

}  // namespace

struct CertificateAuthority::Impl {
  Owned<EVP_PKEY> key = new_key();
  Owned<X509> certificate = unsigned_certificate(key.get(), "Keygate test authority", -60, 86'400);
};

CertificateAuthority::CertificateAuthority() : impl_(std::make_unique<Impl>()) {
  X509* own = impl_->certificate.get();
  X509_set_issuer_name(own, X509_get_subject_name(own));
  add_extension(own, own, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(own, own, NID_key_usage, "critical,keyCertSign,cRLSign");
  X509_sign(own, impl_->key.get(), EVP_sha256());
  certificate_ = pem(own);
}

CertificateAuthority::~CertificateAuthority() = default;

Certificate CertificateAuthority::issue(const std::vector<std::string>& names, long from_seconds, long to_seconds,
                                        const std::string& subject) const {
  const auto key = new_key();
  const auto certificate = unsigned_certificate(key.get(), subject, from_seconds, to_seconds);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(impl_->certificate.get()));
  std::string alternatives;
  for (const std::string& name : names) alternatives += (alternatives.empty() ? "" : ",") + name;
  add_extension(certificate.get(), impl_->certificate.get(), NID_subject_alt_name, alternatives);
  X509_sign(certificate.get(), impl_->key.get(), EVP_sha256());
  return {pem(certificate.get()), pem(key.get())};
}

}  // namespace keygate::test
