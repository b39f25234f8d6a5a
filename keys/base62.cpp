#include "keys/base62.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>
#include <cstddef>
#include <stdexcept>

namespace keygate::keys {

void fill_with_random_base62(std::span<char> out) {
  // The largest multiple of 62 that a byte holds: a byte at or above it is drawn again, or the first digits would be
  // likelier.
  constexpr unsigned char fair = 4 * base62_digits.size();
  std::array<unsigned char, 64> drawn;
  std::size_t filled = 0;
  while (filled < out.size()) {
    if (RAND_bytes(drawn.data(), static_cast<int>(drawn.size())) != 1) {
      throw std::runtime_error("the system gives no random bytes");
    }
    for (const unsigned char byte : drawn) {
      if (byte < fair && filled < out.size()) out[filled++] = base62_digits[byte % base62_digits.size()];
    }
  }
  OPENSSL_cleanse(drawn.data(), drawn.size());
}

}  // namespace keygate::keys
