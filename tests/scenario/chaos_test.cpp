// Redis and the key server break in every way the relays know, at random and under load: nobody is ever taken for
// somebody else, let through who should not be, or refused for it. KEYGATE_CHAOS_SECONDS and KEYGATE_CHAOS_SEED choose
// for how long and what happens; the seed is printed.
#include "tests/support/crowd.hpp"
#include "tests/support/havoc.hpp"
#include "tests/support/revoking.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>

namespace keygate::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::IsEmpty;

constexpr milliseconds bound{2000};

unsigned number_in(const char* variable, unsigned otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

TEST(ChaosUnderLoad, C03C04C05F20_NobodyIsMixedUpLetThroughOrRefusedByAnOutage) {
  const unsigned seed = number_in("KEYGATE_CHAOS_SEED", std::random_device{}());
  const seconds length(number_in("KEYGATE_CHAOS_SECONDS", is_sanitized ? 10 : 12));
  std::printf("KEYGATE_CHAOS_SEED=%u\n", seed);
  Fleet fleet({.staleness_bound = "2s", .service_timeout = "500ms", .threads = {1, 1, 1}});
  Crowd crowd(fleet, bound);
  EXPECT_TRUE(eventually([&] { return crowd.asked() > 1000; }));
  Havoc havoc(fleet, seed, [&] { crowd.revoke_one(); });
  havoc.wreak_for(length);
  // All is well again: so are all who are good, within the second for which the key server is spared.
  const std::string straggler = crowd.wait_for_calm(seconds(5) + slack);
  crowd.stop();
  std::printf("%s\n%s\n", havoc.summary().c_str(), crowd.summary().c_str());
  EXPECT_EQ(straggler, "") << "all is in order again";
  EXPECT_GT(havoc.deeds(), 5U);
  EXPECT_GT(crowd.grants(), 1000U);
  EXPECT_THAT(crowd.wrongs(), IsEmpty()) << "with KEYGATE_CHAOS_SEED=" << seed;
  for (const auto& proxy : fleet.proxies()) {
    EXPECT_THAT(crowd.known_and_turned_away(*proxy), IsEmpty()) << "with KEYGATE_CHAOS_SEED=" << seed;
  }
}

}  // namespace
}  // namespace keygate::test
