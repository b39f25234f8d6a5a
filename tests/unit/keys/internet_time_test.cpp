#include "keys/internet_time.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace keygate::keys {
namespace {

struct Row {
  std::string name;
  std::string text;
  std::optional<std::int64_t> seconds;
};

class InternetTime : public testing::TestWithParam<Row> {};

TEST_P(InternetTime, IsReadToTheLetter) { EXPECT_EQ(parse_internet_time(GetParam().text), GetParam().seconds); }

INSTANTIATE_TEST_SUITE_P(
    Rows, InternetTime,
    testing::Values(
        Row{"Plain", "2025-06-15T15:06:40Z", 1'750'000'000},
        Row{"Milliseconds", "2025-06-15T15:06:40.999Z", 1'750'000'000}, Row{"Epoch", "1970-01-01T00:00:00Z", 0},
        Row{"LeapDay", "2024-02-29T00:00:00Z", 1'709'164'800}, Row{"LeapSecond", "2016-12-31T23:59:60Z", 1'483'228'799},
        Row{"LastYear", "9999-12-31T23:59:59Z", 253'402'300'799},
        Row{"East", "2025-06-15T17:06:40+02:00", 1'750'000'000},
        Row{"West", "2025-06-15T09:36:40-05:30", 1'750'000'000}, Row{"Empty", "", std::nullopt},
        Row{"DateOnly", "2025-06-15", std::nullopt}, Row{"NoZone", "2025-06-15T15:06:40", std::nullopt},
        Row{"Blank", "2025-06-15 15:06:40Z", std::nullopt}, Row{"LowerCase", "2025-06-15t15:06:40z", std::nullopt},
        Row{"NoSuchDay", "2025-02-29T00:00:00Z", std::nullopt},
        Row{"NoSuchMonth", "2025-13-01T00:00:00Z", std::nullopt},
        Row{"NoSuchHour", "2025-06-15T24:00:00Z", std::nullopt},
        Row{"NoSuchMinute", "2025-06-15T15:60:00Z", std::nullopt},
        Row{"NoSuchOffset", "2025-06-15T15:06:40+24:00", std::nullopt},
        Row{"EmptyFraction", "2025-06-15T15:06:40.Z", std::nullopt}, Row{"Sign", "+025-06-15T15:06:40Z", std::nullopt},
        Row{"BeforeTheEpoch", "1969-12-31T23:59:59Z", std::nullopt},
        Row{"BeforeTheEpochByOffset", "1970-01-01T00:00:00+01:00", std::nullopt},
        Row{"SomethingBehind", "2025-06-15T15:06:40Z ", std::nullopt}, Row{"Seconds", "1750000000", std::nullopt}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace keygate::keys
