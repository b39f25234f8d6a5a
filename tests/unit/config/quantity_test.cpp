#include "config/quantity.hpp"

#include <gtest/gtest.h>

namespace keygate::config {
namespace {

using std::chrono::milliseconds;

struct DurationRow {
  const char* name;
  const char* text;
  std::optional<std::int64_t> expected;
};

class Durations : public testing::TestWithParam<DurationRow> {};

TEST_P(Durations, AreReadAsWrittenOrNotAtAll) {
  const auto duration = parse_duration(GetParam().text);
  ASSERT_EQ(duration.has_value(), GetParam().expected.has_value()) << GetParam().text;
  if (duration) {
    EXPECT_EQ(duration->count(), *GetParam().expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, Durations,
                         testing::Values(DurationRow{"Milliseconds", "250ms", 250}, DurationRow{"Seconds", "5s", 5'000},
                                         DurationRow{"Minutes", "1m", 60'000}, DurationRow{"Hours", "24h", 86'400'000},
                                         DurationRow{"Days", "90d", 7'776'000'000}, DurationRow{"Zero", "0s", 0},
                                         DurationRow{"Century", "36525d", 3'155'760'000'000},
                                         DurationRow{"MoreThanACentury", "36526d", {}}, DurationRow{"NoUnit", "5", {}},
                                         DurationRow{"NoNumber", "s", {}}, DurationRow{"Empty", "", {}},
                                         DurationRow{"Blank", "5 s", {}}, DurationRow{"LeadingBlank", " 5s", {}},
                                         DurationRow{"TrailingBlank", "5s ", {}}, DurationRow{"Fraction", "1.5s", {}},
                                         DurationRow{"Negative", "-5s", {}}, DurationRow{"Plus", "+5s", {}},
                                         DurationRow{"UpperCase", "5S", {}}, DurationRow{"TwoUnits", "1m30s", {}},
                                         DurationRow{"UnknownUnit", "5us", {}}, DurationRow{"Octal", "010s", {}},
                                         DurationRow{"Overflow", "18446744073709551616ms", {}},
                                         DurationRow{"OverflowByUnit", "18446744073709551615d", {}}),
                         [](const auto& row) { return std::string(row.param.name); });

struct SizeRow {
  const char* name;
  const char* text;
  std::optional<std::uint64_t> expected;
};

class Sizes : public testing::TestWithParam<SizeRow> {};

TEST_P(Sizes, AreReadAsWrittenOrNotAtAll) { EXPECT_EQ(parse_size(GetParam().text), GetParam().expected); }

INSTANTIATE_TEST_SUITE_P(Table, Sizes,
                         testing::Values(SizeRow{"Bare", "4096", 4096}, SizeRow{"Bytes", "12B", 12},
                                         SizeRow{"KiB", "64KiB", 65'536}, SizeRow{"MiB", "1MiB", 1'048'576},
                                         SizeRow{"GiB", "2GiB", 2'147'483'648}, SizeRow{"Zero", "0", 0},
                                         SizeRow{"Most", "1073741824GiB", 1ULL << 60},
                                         SizeRow{"TooLarge", "1073741825GiB", {}}, SizeRow{"Decimal", "64KB", {}},
                                         SizeRow{"Short", "64K", {}}, SizeRow{"Blank", "64 KiB", {}},
                                         SizeRow{"Fraction", "1.5MiB", {}}, SizeRow{"Negative", "-1", {}},
                                         SizeRow{"Hex", "0x10", {}}, SizeRow{"Octal", "010", {}},
                                         SizeRow{"Empty", "", {}}, SizeRow{"Overflow", "18446744073709551616", {}}),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace keygate::config
