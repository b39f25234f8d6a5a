#include "keys/pushed_changes.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;

KeyDigest numbered(std::uint32_t number) {
  KeyDigest digest;
  std::memcpy(digest.bytes.data(), &number, sizeof number);
  return digest;
}

constexpr auto bound = 60s;

class PushedChangesTest : public testing::Test {
 protected:
  void note(std::uint32_t number) { changes.note(numbered(number), now, now - bound); }
  bool has_changed(std::uint32_t number, SteadyTime since) const {
    return changes.has_changed_since(numbered(number), since, now - bound);
  }

  PushedChanges changes;
  SteadyTime now{1000s};
};

TEST_F(PushedChangesTest, F27_KnowsWhatIsOlderThanAChange) {
  note(1);
  EXPECT_TRUE(has_changed(1, now - 1s));
  EXPECT_TRUE(has_changed(1, now)) << "at the same moment: it may have been before";
  EXPECT_FALSE(has_changed(1, now + 1ns));
  EXPECT_FALSE(has_changed(2, now - 1s));
}

TEST_F(PushedChangesTest, TheLastChangeCounts) {
  note(1);
  now += 30s;
  note(1);
  now += 40s;
  note(2);  // the first change of 1 is forgotten by now, not the second
  EXPECT_TRUE(has_changed(1, now - 45s));
  EXPECT_FALSE(has_changed(1, now - 35s));
}

TEST_F(PushedChangesTest, ForgetsWhatNothingServedCanBeOlderThan) {
  note(1);
  now += 61s;
  EXPECT_FALSE(has_changed(1, now - 61s));
}

TEST_F(PushedChangesTest, WhereThereWereTooManyAnyKeyMayHaveChanged) {
  const SteadyTime began = now;
  for (std::uint32_t i = 0; i <= PushedChanges::max_kept; ++i) note(i);
  EXPECT_TRUE(has_changed(4'000'000, began)) << "never heard of, or forgotten: nobody knows";
  now += 1s;
  EXPECT_FALSE(has_changed(4'000'000, now - 500ms));
}

}  // namespace
}  // namespace keygate::keys
