#include "proxy/health_check.hpp"

#include <gtest/gtest.h>

namespace keygate::proxy {
namespace {

TEST(HealthTally, NeedsSoManyFailuresInARow) {
  HealthTally tally(3, 2);
  EXPECT_EQ(tally.note(false), std::nullopt);
  EXPECT_EQ(tally.note(false), std::nullopt);
  EXPECT_EQ(tally.note(true), std::nullopt);
  EXPECT_EQ(tally.note(false), std::nullopt);
  EXPECT_EQ(tally.note(false), std::nullopt);
  EXPECT_EQ(tally.note(false), true);
  EXPECT_EQ(tally.note(false), std::nullopt) << "said once";
}

TEST(HealthTally, NeedsSoManyGoodOnesInARowToComeBack) {
  HealthTally tally(1, 2);
  EXPECT_EQ(tally.note(false), true);
  EXPECT_EQ(tally.note(true), std::nullopt);
  EXPECT_EQ(tally.note(false), std::nullopt);
  EXPECT_EQ(tally.note(true), std::nullopt);
  EXPECT_EQ(tally.note(true), false);
  EXPECT_EQ(tally.note(true), std::nullopt);
  EXPECT_EQ(tally.note(false), true);
}

TEST(StatusLine, IsReadStrictly) {
  EXPECT_EQ(status_in("HTTP/1.1 200 OK"), 200);
  EXPECT_EQ(status_in("HTTP/1.0 503 "), 503);
  EXPECT_EQ(status_in("HTTP/1.1 204"), 204);
  for (const char* const line : {"", "HTTP/1.1", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/2 200 OK", "HTTP/1.1  200 OK",
                                 "http/1.1 200 OK", "HTTP/1.1 2x0 OK", "SSH-2.0-OpenSSH_9.2"}) {
    EXPECT_EQ(status_in(line), std::nullopt) << line;
  }
}

}  // namespace
}  // namespace keygate::proxy
