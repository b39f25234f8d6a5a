#include "keys/slow_lane.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <vector>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;

AskerAddress address(std::uint8_t last) {
  AskerAddress bytes{};
  bytes.back() = last;
  return bytes;
}

class UnknownKeyBudgetTest : public testing::Test {
 protected:
  void spend(UnknownKeyBudget& budget, const AskerAddress& asker, int times) {
    for (int i = 0; i < times; ++i) budget.spend(asker, now);
  }

  SteadyTime now{1000s};
  const AskerAddress sprayer = address(1), good = address(2);
};

TEST_F(UnknownKeyBudgetTest, C08_IsOneSecondsWorthAndComesBackWithTime) {
  UnknownKeyBudget budget({20, 200}, 1);
  spend(budget, sprayer, 19);
  EXPECT_FALSE(budget.is_spent(sprayer, now));
  spend(budget, sprayer, 1);
  EXPECT_TRUE(budget.is_spent(sprayer, now));
  EXPECT_TRUE(budget.is_spent(sprayer, now + 49ms));
  EXPECT_FALSE(budget.is_spent(sprayer, now + 50ms)) << "one is free again";
  now += 50ms;
  spend(budget, sprayer, 1);
  EXPECT_TRUE(budget.is_spent(sprayer, now));
  EXPECT_FALSE(budget.is_spent(good, now)) << "somebody else's is his own";
}

TEST_F(UnknownKeyBudgetTest, C08_HasNoDebtBeyondASecond) {
  UnknownKeyBudget budget({20, 0}, 1);
  spend(budget, sprayer, 10'000);
  EXPECT_TRUE(budget.is_spent(sprayer, now + 99ms));
  EXPECT_FALSE(budget.is_spent(sprayer, now + 100ms));
}

TEST_F(UnknownKeyBudgetTest, C08_WhereEverybodysIsSpentOnlyThoseWhoSpentOfItAreSlowed) {
  UnknownKeyBudget budget({20, 50}, 1);
  for (std::uint8_t i = 10; i < 60; ++i) spend(budget, address(i), 1);
  EXPECT_TRUE(budget.is_spent(address(10), now)) << "one of many that spray together";
  EXPECT_FALSE(budget.is_spent(good, now));
  EXPECT_FALSE(budget.is_spent(address(10), now + 50ms)) << "its own is whole again";
}

TEST_F(UnknownKeyBudgetTest, NoLimitIsNone) {
  UnknownKeyBudget budget({0, 0}, 1);
  spend(budget, sprayer, 1'000);
  EXPECT_FALSE(budget.is_spent(sprayer, now));
}

TEST_F(UnknownKeyBudgetTest, IsDividedAmongTheWorkersAndNeverNothing) {
  UnknownKeyBudget quarter({20, 200}, 4), crumb({20, 200}, 100);
  spend(quarter, sprayer, 4);
  EXPECT_FALSE(quarter.is_spent(sprayer, now));
  spend(quarter, sprayer, 1);
  EXPECT_TRUE(quarter.is_spent(sprayer, now));
  EXPECT_FALSE(crumb.is_spent(sprayer, now));
  spend(crumb, sprayer, 1);
  EXPECT_TRUE(crumb.is_spent(sprayer, now));
}

TEST_F(UnknownKeyBudgetTest, AReloadChangesTheRates) {
  UnknownKeyBudget budget({20, 200}, 1);
  spend(budget, sprayer, 20);
  budget.apply({0, 0});
  EXPECT_FALSE(budget.is_spent(sprayer, now));
}

TEST_F(UnknownKeyBudgetTest, ManyAddressesAreForgottenOnceTheyAreGoodAgain) {
  UnknownKeyBudget budget({20, 200}, 1);
  for (unsigned i = 0; i < 200'000; ++i) {
    AskerAddress one{};
    for (std::size_t byte = 0; byte < 4; ++byte) one[byte] = static_cast<std::uint8_t>(i >> (8 * byte));
    budget.spend(one, now);
    now += 1ms;
  }
  EXPECT_LT(budget.addresses(), 3'000U);
}

TEST(SlowLaneTest, C08_TakesFourThenSixtyFourInTurnAndThenNobody) {
  SlowLane lane;
  const AskerAddress asker = address(1);
  const auto flight_of = [](std::uint8_t number) {
    KeyDigest digest;
    digest.bytes[0] = number;
    return std::make_shared<Flight>(digest, SecretView("a_key_of_the_test"));
  };
  std::vector<std::shared_ptr<Flight>> flights;
  for (std::uint8_t i = 0; i < 69; ++i) flights.push_back(flight_of(i));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(lane.enter(asker, flights[i]), SlowLane::Turn::now);
  for (std::size_t i = 4; i < 68; ++i) EXPECT_EQ(lane.enter(asker, flights[i]), SlowLane::Turn::later);
  EXPECT_EQ(lane.enter(asker, flights[68]), SlowLane::Turn::never);
  EXPECT_EQ(lane.enter(address(2), flights[68]), SlowLane::Turn::now) << "another's lane";

  flights[5].reset();  // nobody waits for it any more
  EXPECT_EQ(lane.leave(asker), flights[4]);
  EXPECT_EQ(lane.leave(asker), flights[6]);
  for (std::size_t i = 7; i < 68; ++i) EXPECT_EQ(lane.leave(asker), flights[i]);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(lane.leave(asker), nullptr);
  EXPECT_EQ(lane.enter(asker, flights[0]), SlowLane::Turn::now) << "the lane is empty again";
}

}  // namespace
}  // namespace keygate::keys
