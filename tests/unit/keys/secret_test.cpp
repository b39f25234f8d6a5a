#include "keys/secret.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <new>
#include <ostream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace keygate::keys {
namespace {

constexpr std::string_view text = "kg_0123456789012345678901234567890123456789";

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};

TEST(Secret, CannotBePrintedOrCopied) {
  static_assert(!Printable<Secret> && !Printable<SecretView>);
  static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
  static_assert(!std::is_convertible_v<SecretView, std::string_view> &&
                !std::is_convertible_v<Secret, std::string_view>);
}

TEST(Secret, OwnsACopy) {
  std::string original(text);
  const Secret secret{SecretView(original)};
  original.assign(original.size(), 'x');
  EXPECT_EQ(secret.view().reveal(), text);
}

TEST(Secret, WipesItself) {
  alignas(Secret) std::array<unsigned char, sizeof(Secret)> memory{};
  auto* secret = new (memory.data()) Secret{SecretView(text)};
  ASSERT_NE(std::ranges::search(memory, text).begin(), memory.end());
  secret->~Secret();
  EXPECT_TRUE(std::ranges::all_of(memory, [](unsigned char byte) { return byte == 0; }));
}

TEST(Secret, MovingLeavesNothingBehind) {
  alignas(Secret) std::array<unsigned char, sizeof(Secret)> memory{};
  auto* first = new (memory.data()) Secret{SecretView(text)};
  Secret second(std::move(*first));
  EXPECT_EQ(second.view().reveal(), text);
  EXPECT_TRUE(std::ranges::all_of(memory, [](unsigned char byte) { return byte == 0; }));

  Secret third{SecretView("another")};
  third = std::move(second);
  EXPECT_EQ(third.view().reveal(), text);
  first->~Secret();
}

TEST(Secret, RefusesWhatDoesNotFit) {
  const std::string largest(Secret::max_size, 'a');
  EXPECT_EQ(Secret{SecretView(largest)}.view().reveal(), largest);
  const std::string larger(Secret::max_size + 1, 'a');
  EXPECT_THROW(Secret{SecretView(larger)}, std::length_error);
}

TEST(Secret, ComparesByContent) {
  EXPECT_TRUE(equal_in_constant_time(SecretView("abc"), SecretView(std::string("abc"))));
  EXPECT_FALSE(equal_in_constant_time(SecretView("abc"), SecretView("abd")));
  EXPECT_FALSE(equal_in_constant_time(SecretView("abc"), SecretView("abcd")));
  EXPECT_TRUE(equal_in_constant_time(SecretView(), SecretView("")));
}

}  // namespace
}  // namespace keygate::keys
