#include "keys/digest.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keygate::keys {
namespace {

TEST(Digest, IsSha256) {
  Hasher hasher;
  // FIPS 180-4 examples
  EXPECT_EQ(to_hex(hasher(SecretView("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(hasher(SecretView(""))), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// C-03: what came before leaves no trace in what comes after.
TEST(Digest, DoesNotDependOnEarlierOnes) {
  Hasher hasher, fresh;
  hasher(SecretView("ab"));
  hasher(SecretView("c"));
  EXPECT_EQ(hasher(SecretView("abc")), fresh(SecretView("abc")));
  EXPECT_NE(hasher(SecretView("ab")), hasher(SecretView("a")));
}

TEST(Digest, HexComesBack) {
  const KeyDigest digest = Hasher()(SecretView("abc"));
  EXPECT_EQ(digest_from_hex(to_hex(digest)), digest);
}

TEST(Digest, HexOfAnotherFormIsRefused) {
  const std::string hex = to_hex(KeyDigest{});
  EXPECT_FALSE(digest_from_hex(""));
  EXPECT_FALSE(digest_from_hex(hex.substr(1)));
  EXPECT_FALSE(digest_from_hex(hex + "0"));
  EXPECT_FALSE(digest_from_hex("A" + hex.substr(1))) << "one spelling only";
  EXPECT_FALSE(digest_from_hex("g" + hex.substr(1)));
}

}  // namespace
}  // namespace keygate::keys
