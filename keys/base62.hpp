// Base62: the letters of keys, their ids and their checksums. Digits, then upper case, then lower case.
#pragma once

#include <span>
#include <string_view>

namespace keygate::keys {

inline constexpr std::string_view base62_digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// Fills `out` with random digits, each equally likely. Throws std::runtime_error where the system gives no randomness.
void fill_with_random_base62(std::span<char> out);

}  // namespace keygate::keys
