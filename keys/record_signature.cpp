#include "keys/record_signature.hpp"

#include "keys/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdexcept>

namespace keygate::keys {

namespace {

constexpr std::size_t hex_size = 64;

}  // namespace

std::pair<std::string_view, std::string_view> split_signature(std::string_view bytes) {
  if (bytes.size() <= hex_size || bytes[bytes.size() - hex_size - 1] != '\n') return {bytes, {}};
  const std::string_view hex = bytes.substr(bytes.size() - hex_size);
  if (!digest_from_hex(hex)) return {bytes, {}};
  return {bytes.substr(0, bytes.size() - hex_size - 1), hex};
}

std::string signature_of(std::string_view signing_key, std::string_view redis_key, std::string_view json) {
  std::basic_string<unsigned char> message(redis_key.begin(), redis_key.end());
  message += '\n';
  message.append(json.begin(), json.end());
  KeyDigest mac;
  unsigned size = 0;
  if (HMAC(EVP_sha256(), signing_key.data(), static_cast<int>(signing_key.size()), message.data(), message.size(),
           mac.bytes.data(), &size) == nullptr ||
      size != mac.bytes.size()) {
    throw std::runtime_error("HMAC-SHA-256 failed");
  }
  return to_hex(mac);
}

bool is_same_signature(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace keygate::keys
