// What a TLS context was made of, as a digest: of what was read, not of the files, which may be others by now.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

struct evp_md_ctx_st;
struct ssl_ctx_st;
struct X509_name_st;
struct x509_st;

namespace keygate::proxy {

class TlsDigest {
 public:
  using Value = std::array<unsigned char, 32>;

  TlsDigest();
  ~TlsDigest();
  TlsDigest(const TlsDigest&) = delete;
  TlsDigest& operator=(const TlsDigest&) = delete;

  void add(std::span<const unsigned char> bytes);
  void add(std::span<const std::byte> bytes) {
    add({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
  }
  void add(unsigned char byte) { add({&byte, 1}); }
  // These by digests of their own, so that where one ends and the next begins is never in doubt.
  void add(const x509_st* certificate);
  void add(const X509_name_st* name);
  // Its certificate (whose private key it has), those that go with it, and the certificates that it trusts.
  void add_parts(ssl_ctx_st* context);

  // nullopt: OpenSSL has failed.
  std::optional<Value> take();

 private:
  evp_md_ctx_st* const context_;
  bool is_good_ = false;
};

}  // namespace keygate::proxy
