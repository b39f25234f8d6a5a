#include "config/date.hpp"

#include <gtest/gtest.h>

namespace keygate::config {
namespace {

TEST(Date, IsTheSecondAtWhichItBegins) {
  EXPECT_EQ(std::get<std::int64_t>(parse_date("1970-01-01")), 0);
  EXPECT_EQ(std::get<std::int64_t>(parse_date("2023-11-14")), 1'699'920'000);
  EXPECT_EQ(std::get<std::int64_t>(parse_date("2024-02-29")), 1'709'164'800);
}

TEST(Date, IsNothingElse) {
  for (const char* const text : {"", "2023-02-29", "2023-13-01", "2023-00-10", "2023-11-00", "2023-11-31", "2023-1-01",
                                 "23-11-14", "2023/11/14", "2023-11-14T00:00:00Z", "2023-11-1x", "2023-11--1",
                                 "-023-11-14", "1969-12-31", " 2023-11-14", "2023-11- 1", "tomorrow"}) {
    EXPECT_TRUE(std::holds_alternative<Fault>(parse_date(text))) << text;
  }
}

}  // namespace
}  // namespace keygate::config
