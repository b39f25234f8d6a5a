#include "policy/method.hpp"

#include <gtest/gtest.h>

namespace keygate::policy {
namespace {

TEST(Method, EveryWordReadsBackAsItself) {
  for (std::size_t number = 0; number < method_count; ++number) {
    const auto method = static_cast<Method>(number);
    EXPECT_EQ(parse_method(to_string(method)), method) << to_string(method);
  }
  EXPECT_EQ(to_string(Method::delete_), "DELETE");
  EXPECT_EQ(to_string(Method::connect), "CONNECT");
}

TEST(Method, IsExactAndCaseSensitive) {
  for (const auto* word : {"get", "Get", "GET ", " GET", "GETS", "GE", "", "FOO", "PROPFIND"}) {
    EXPECT_EQ(parse_method(word), std::nullopt) << word;
  }
}

TEST(Method, OnlyPostAndPatchMayNotBeSentTwice) {
  EXPECT_FALSE(is_idempotent(Method::post));
  EXPECT_FALSE(is_idempotent(Method::patch));
  EXPECT_TRUE(is_idempotent(Method::put));
  EXPECT_TRUE(is_idempotent(Method::delete_));
  EXPECT_TRUE(is_safe(Method::head));
  EXPECT_FALSE(is_safe(Method::put));
}

TEST(MethodSet, HoldsWhatWasAdded) {
  MethodSet set;
  EXPECT_TRUE(set.empty());
  set.add(Method::connect);
  set.add(Method::get);
  EXPECT_TRUE(set.has(Method::get));
  EXPECT_TRUE(set.has(Method::connect));
  EXPECT_FALSE(set.has(Method::head));
  MethodSet other;
  other.add(Method::head);
  EXPECT_FALSE(set.meets(other));
  other.add(Method::get);
  EXPECT_TRUE(set.meets(other));
}

}  // namespace
}  // namespace keygate::policy
