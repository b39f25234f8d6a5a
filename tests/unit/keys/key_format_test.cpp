#include "keys/key_format.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace keygate::keys {
namespace {

using policy::Environment;

config::KeyFormatSettings format(std::string prefix, Environment environment, std::size_t length,
                                 bool checksum = false) {
  config::KeyFormatSettings settings;
  settings.prefix = std::move(prefix);
  settings.environment = environment;
  settings.length = length;
  settings.crc32_checksum = checksum;
  return settings;
}

KeyFormats rekall() {
  return KeyFormats({format("rk_", Environment::live, 48), format("rk_test_", Environment::test, 48)});
}

std::string filled(std::string prefix, std::size_t size, char with = 'a') {
  prefix.resize(size, with);
  return prefix;
}

std::optional<Environment> fit(const KeyFormats& formats, const std::string& key) {
  return formats.fit(SecretView(key));
}

TEST(KeyFormats, PrefixGivesTheEnvironment) {
  EXPECT_EQ(fit(rekall(), filled("rk_", 48)), Environment::live);
  EXPECT_EQ(fit(rekall(), filled("rk_test_", 48)), Environment::test);
}

TEST(KeyFormats, LongestPrefixWinsInAnyOrder) {
  const KeyFormats reversed({format("rk_test_", Environment::test, 48), format("rk_", Environment::live, 48)});
  EXPECT_EQ(fit(reversed, filled("rk_test_", 48)), Environment::test);
  EXPECT_EQ(fit(reversed, filled("rk_", 48)), Environment::live);
}

TEST(KeyFormats, LongestPrefixAloneDecides) {
  const KeyFormats formats({format("rk_", Environment::live, 0), format("rk_test_", Environment::test, 48)});
  EXPECT_EQ(fit(formats, filled("rk_test_", 47)), std::nullopt) << "too short as rk_test_; it is not tried as rk_";
}

TEST(KeyFormats, LengthIsExactWhereGiven) {
  EXPECT_EQ(fit(rekall(), filled("rk_", 47)), std::nullopt);
  EXPECT_EQ(fit(rekall(), filled("rk_", 49)), std::nullopt);
  EXPECT_EQ(fit(rekall(), "rk_"), std::nullopt);
  EXPECT_EQ(fit(rekall(), ""), std::nullopt);
}

TEST(KeyFormats, AnotherPrefixFitsNone) {
  EXPECT_EQ(fit(rekall(), filled("sk_", 48)), std::nullopt);
  EXPECT_EQ(fit(rekall(), filled("RK_", 48)), std::nullopt) << "case counts";
}

TEST(KeyFormats, BodyIsAlphanumericWhereTheLengthIsGiven) {
  for (const char odd : {'_', '-', '.', ' ', '\0', '\n', '\x80', '\xE9', '%', '='}) {
    EXPECT_EQ(fit(rekall(), filled("rk_", 47) + odd), std::nullopt) << int{odd};
  }
}

TEST(KeyFormats, OpenLengthTakes20To256OfAWiderAlphabet) {
  const KeyFormats formats({format("k.", Environment::none, 0)});
  EXPECT_EQ(fit(formats, filled("k._~+/=-", 20)), Environment::none);
  EXPECT_EQ(fit(formats, filled("k.", 256)), Environment::none);
  EXPECT_EQ(fit(formats, filled("k.", 19)), std::nullopt);
  EXPECT_EQ(fit(formats, filled("k.", 257)), std::nullopt);
  EXPECT_EQ(fit(formats, filled("k.", 30) + " "), std::nullopt);
  EXPECT_EQ(fit(formats, filled("k.", 30) + "\xC3\xA9"), std::nullopt);
}

TEST(KeyFormats, WithoutFormatsAnyTokenFits) {
  const KeyFormats none({});
  EXPECT_EQ(fit(none, filled("", 20)), Environment::none);
  EXPECT_EQ(fit(none, filled("", 256)), Environment::none);
  EXPECT_EQ(fit(none, filled("", 19)), std::nullopt);
  EXPECT_EQ(fit(none, filled("", 257)), std::nullopt);
  EXPECT_EQ(fit(none, filled("a,b", 30)), std::nullopt);
}

TEST(KeyFormats, NoKeyIsLargerThanASecret) {
  const KeyFormats formats({format("k", Environment::none, 600)});
  EXPECT_EQ(fit(formats, filled("k", 600)), std::nullopt);
}

TEST(KeyFormats, ChecksumIsHeldAgainstTheKey) {
  const KeyFormats formats({format("rk_", Environment::live, 48, true)});
  const Secret made = generate_key("rk_");
  std::string key(made.view().reveal());
  EXPECT_EQ(fit(formats, key), Environment::live);
  key[10] = key[10] == 'a' ? 'b' : 'a';
  EXPECT_EQ(fit(formats, key), std::nullopt);
  EXPECT_EQ(fit(formats, filled("rk_", 48)), std::nullopt);
}

TEST(Checksum, IsCrc32InBase62) {
  // The check value of CRC-32/ISO-HDLC, read back from the digits.
  const std::string digits = checksum_of("123456789");
  ASSERT_EQ(digits.size(), 6U);
  std::uint64_t value = 0;
  for (const char c : digits) {
    value = value * 62 + std::string_view("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz").find(c);
  }
  EXPECT_EQ(value, 0xCBF43926U);
  EXPECT_EQ(checksum_of(""), "000000");
}

// As the standard has it, a bit at a time.
std::uint32_t plain_crc32(std::string_view text) {
  std::uint32_t rest = 0xffffffffU;
  for (const char c : text) {
    rest ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1U) ^ ((rest & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~rest;
}

TEST(Checksum, IsThatOfEachLength) {
  std::string text;
  for (int i = 0; i < 70; ++i) {
    std::uint32_t rest = plain_crc32(text);
    std::string digits(6, '0');
    for (std::size_t at = digits.size(); at-- > 0; rest /= 62) {
      digits[at] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[rest % 62];
    }
    EXPECT_EQ(checksum_of(text), digits) << text.size();
    text += static_cast<char>(37 * i + 200);
  }
}

TEST(Checksum, NeedsABody) {
  EXPECT_FALSE(has_valid_checksum(""));
  EXPECT_FALSE(has_valid_checksum("000000"));
  EXPECT_TRUE(has_valid_checksum("x" + checksum_of("x")));
}

TEST(GeneratedKey, IsPrefixRandomAndChecksumIn48) {
  for (const char* prefix : {"k", "kg_", "rk_test_", "0123456789"}) {
    const Secret key = generate_key(prefix);
    EXPECT_EQ(key.view().size(), 48U);
    EXPECT_TRUE(key.view().reveal().starts_with(prefix));
    EXPECT_TRUE(has_valid_checksum(key.view().reveal()));
    EXPECT_EQ(KeyFormats({format(prefix, Environment::test, 48, true)}).fit(key.view()), Environment::test);
  }
}

TEST(GeneratedKey, IsNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.emplace(generate_key("kg_").view().reveal());
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(GeneratedKey, DrawsEveryDigitAlike) {
  std::array<int, 256> counts{};
  constexpr int keys = 3000, random_digits = 39;
  for (int i = 0; i < keys; ++i) {
    const Secret key = generate_key("kg_");
    for (const char c : key.view().reveal().substr(3, random_digits)) ++counts[static_cast<unsigned char>(c)];
  }
  // Expected 1887 each, standard deviation 43. With the bias of a bare modulo eight digits would stand at 2285.
  for (const char c : std::string_view("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")) {
    EXPECT_NEAR(counts[static_cast<unsigned char>(c)], keys * random_digits / 62, 300) << c;
  }
}

TEST(GeneratedKey, RefusesAPrefixThatIsNone) {
  for (const char* prefix : {"", "kg-", "k g", "01234567890", "k\xC3\xA9"}) {
    EXPECT_THROW(generate_key(prefix), std::invalid_argument) << prefix;
  }
}

}  // namespace
}  // namespace keygate::keys
