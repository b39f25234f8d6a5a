#include "keys/digest.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace keygate::keys {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

struct FreeDigest {
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

std::string to_hex(const KeyDigest& digest) {
  std::string text(2 * digest.bytes.size(), '0');
  for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
    text[2 * i] = hex_digits[digest.bytes[i] >> 4];
    text[2 * i + 1] = hex_digits[digest.bytes[i] & 0xF];
  }
  return text;
}

std::optional<KeyDigest> digest_from_hex(std::string_view hex) {
  KeyDigest digest;
  if (hex.size() != 2 * digest.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
    const std::size_t high = hex_digits.find(hex[2 * i]);
    const std::size_t low = hex_digits.find(hex[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    digest.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return digest;
}

// SHA256() of OpenSSL 3.0 fetches the algorithm by name on every call, under a lock; fetched once, a digest is the
// hashing alone.
struct Hasher::Impl {
  std::unique_ptr<EVP_MD, FreeDigest> algorithm{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  std::unique_ptr<EVP_MD_CTX, FreeContext> context{EVP_MD_CTX_new()};
};

Hasher::Hasher() : impl_(std::make_unique<Impl>()) {
  if (!impl_->algorithm || !impl_->context) throw std::runtime_error("OpenSSL has no SHA-256");
}

Hasher::~Hasher() = default;

KeyDigest Hasher::operator()(SecretView secret) {
  KeyDigest digest;
  EVP_MD_CTX* context = impl_->context.get();
  // The final step wipes the block that held the end of the secret.
  if (EVP_DigestInit_ex2(context, impl_->algorithm.get(), nullptr) != 1 ||
      EVP_DigestUpdate(context, secret.reveal().data(), secret.size()) != 1 ||
      EVP_DigestFinal_ex(context, digest.bytes.data(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 failed");
  }
  return digest;
}

}  // namespace keygate::keys
