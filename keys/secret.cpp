#include "keys/secret.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <stdexcept>

namespace keygate::keys {

bool equal_in_constant_time(SecretView a, SecretView b) {
  if (a.size() != b.size()) return false;
  if (a.size() == 0) return true;
  return CRYPTO_memcmp(a.reveal().data(), b.reveal().data(), a.size()) == 0;
}

Secret::Secret(SecretView text) : size_(text.size()) {
  // Callers have checked the size; a cut-off secret would be another one, so a slip is not survived quietly.
  if (text.size() > max_size) throw std::length_error("a secret is at most 512 bytes");
  std::ranges::copy(text.reveal(), text_.begin());
}

Secret::~Secret() {
  OPENSSL_cleanse(text_.data(), text_.size());
  OPENSSL_cleanse(&size_, sizeof size_);
}

Secret::Secret(Secret&& other) noexcept : text_(other.text_), size_(other.size_) {
  OPENSSL_cleanse(other.text_.data(), other.text_.size());
  other.size_ = 0;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  text_ = other.text_;
  size_ = other.size_;
  OPENSSL_cleanse(other.text_.data(), other.text_.size());
  other.size_ = 0;
  return *this;
}

}  // namespace keygate::keys
