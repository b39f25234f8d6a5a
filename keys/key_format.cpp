#include "keys/key_format.hpp"

#include "keys/base62.hpp"
#include "keys/characters.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <utility>

namespace keygate::keys {

namespace {

constexpr std::size_t checksum_size = 6;  // 62^6 > 2^32
constexpr std::size_t min_open_size = 20;
constexpr std::size_t max_open_size = 256;

bool has_open_form(std::string_view text) {
  return text.size() >= min_open_size && text.size() <= max_open_size && is_all(CharacterClass::open, text);
}

bool has_form(const config::KeyFormatSettings& format, std::string_view key) {
  if (format.crc32_checksum && !has_valid_checksum(key)) return false;
  if (format.length == 0) return has_open_form(key);
  // Whatever a format asks for, a key has to fit into a Secret.
  if (key.size() != format.length || key.size() > Secret::max_size) return false;
  return is_all(CharacterClass::alphanumeric, key.substr(format.prefix.size()));
}

bool is_prefix(std::string_view prefix) {
  return !prefix.empty() && prefix.size() <= max_prefix_size &&
         std::ranges::all_of(prefix, [](char c) { return c == '_' || is_of(CharacterClass::alphanumeric, c); });
}

// What a byte is worth in the CRC-32 of IEEE 802.3 when so many bytes follow it in a step of four.
constexpr std::array<std::array<std::uint32_t, 256>, 4> crc_tables = [] {
  std::array<std::array<std::uint32_t, 256>, 4> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1U) ^ ((rest & 1U) != 0 ? 0xedb88320U : 0U);
    tables[0][byte] = rest;
  }
  for (std::size_t behind = 1; behind < tables.size(); ++behind) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[behind - 1][byte];
      tables[behind][byte] = (before >> 8U) ^ tables[0][before & 0xffU];
    }
  }
  return tables;
}();

// Of every key of every request: byte by byte, each waiting for the one before it, it took longer than the decision.
std::uint32_t crc32_of(std::string_view text) {
  const auto byte = [](char c) { return std::uint32_t{static_cast<unsigned char>(c)}; };
  std::uint32_t rest = 0xffffffffU;
  for (; text.size() >= 4; text.remove_prefix(4)) {
    rest ^= byte(text[0]) | byte(text[1]) << 8U | byte(text[2]) << 16U | byte(text[3]) << 24U;
    rest = crc_tables[3][rest & 0xffU] ^ crc_tables[2][rest >> 8U & 0xffU] ^ crc_tables[1][rest >> 16U & 0xffU] ^
           crc_tables[0][rest >> 24U];
  }
  for (const char c : text) rest = (rest >> 8U) ^ crc_tables[0][(rest ^ byte(c)) & 0xffU];
  return ~rest;
}

}  // namespace

KeyFormats::KeyFormats(std::vector<config::KeyFormatSettings> formats) : formats_(std::move(formats)) {
  std::ranges::stable_sort(formats_, std::ranges::greater{}, [](const auto& format) { return format.prefix.size(); });
}

std::optional<policy::Environment> KeyFormats::fit(SecretView key) const {
  const std::string_view text = key.reveal();
  if (formats_.empty()) {
    if (has_open_form(text)) return policy::Environment::none;
    return std::nullopt;
  }
  const auto format =
      std::ranges::find_if(formats_, [text](const auto& candidate) { return text.starts_with(candidate.prefix); });
  if (format == formats_.end() || !has_form(*format, text)) return std::nullopt;
  return format->environment;
}

std::string checksum_of(std::string_view body) {
  std::uint32_t rest = crc32_of(body);
  std::string digits(checksum_size, base62_digits[0]);
  for (std::size_t i = checksum_size; i-- > 0; rest /= base62_digits.size()) {
    digits[i] = base62_digits[rest % base62_digits.size()];
  }
  return digits;
}

bool has_valid_checksum(std::string_view key) {
  if (key.size() <= checksum_size) return false;
  const std::size_t body = key.size() - checksum_size;
  return key.substr(body) == checksum_of(key.substr(0, body));
}

Secret generate_key(std::string_view prefix) {
  if (!is_prefix(prefix)) throw std::invalid_argument("a key's prefix is 1 to 10 of [A-Za-z0-9_]");
  std::array<char, key_size> text;
  std::ranges::copy(prefix, text.begin());
  const std::size_t body = key_size - checksum_size;
  fill_with_random_base62(std::span(text).first(body).subspan(prefix.size()));
  std::ranges::copy(checksum_of(std::string_view(text.data(), body)), text.begin() + body);
  Secret key(SecretView({text.data(), text.size()}));
  OPENSSL_cleanse(text.data(), text.size());
  return key;
}

}  // namespace keygate::keys
