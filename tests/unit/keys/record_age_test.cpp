#include "keys/key_record.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::int64_t now_ms = 1'750'000'000'123;

struct AgeRow {
  std::string name;
  std::optional<milliseconds> bound;  // the record's
  std::optional<milliseconds> issued_ago;
  milliseconds ttl;
  std::optional<milliseconds> expected;
};

class RecordAge : public testing::TestWithParam<AgeRow> {};

TEST_P(RecordAge, IsTheLargerOfWhatBothClocksSay) {
  WireRecord record;
  record.bound = GetParam().bound;
  if (GetParam().issued_ago) record.issued_at_ms = now_ms - GetParam().issued_ago->count();
  EXPECT_EQ(age_of(record, GetParam().ttl, now_ms, 60s), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Ages, RecordAge,
                         testing::Values(AgeRow{"ByTtlAlone", {}, {}, 45s, 15s},                     //
                                         AgeRow{"ByIssueTime", {}, 20s, 45s, 20s},                   //
                                         AgeRow{"ByTtlWhereTheClockStoodBack", {}, 5s, 45s, 15s},    //
                                         AgeRow{"New", {}, 0s, 60s, 0s},                             //
                                         AgeRow{"F12IssuedALittleAhead", {}, -5s, 60s, 0s},          //
                                         AgeRow{"F12IssuedAhead", {}, -5001ms, 45s, {}},             //
                                         AgeRow{"F51_WriterTwoMinutesAhead", {}, -120s, 45s, {}},    //
                                         AgeRow{"F51_WriterTwoMinutesBehind", {}, 135s, 45s, {}},    //
                                         AgeRow{"F51_WriterALittleBehind", {}, 35s, 45s, 35s},       //
                                         AgeRow{"F12NoTtl", {}, 1s, -1ms, {}},                       //
                                         AgeRow{"Gone", {}, 1s, -2ms, {}},                           //
                                         AgeRow{"ExpiresNow", {}, {}, 0ms, {}},                      //
                                         AgeRow{"TtlOverTheBound", {}, {}, 60'001ms, {}},            //
                                         AgeRow{"IssuedABoundAgo", {}, 60s, 45s, {}},                //
                                         AgeRow{"JustWithinTheBound", {}, 59'999ms, 45s, 59'999ms},  //
                                         AgeRow{"WriterHasALongerBound", 120s, {}, 100s, 20s},       //
                                         AgeRow{"TooOldForTheReader", 120s, {}, 60s, {}},            //
                                         AgeRow{"WriterHasAShorterBound", 10s, {}, 7s, 3s},          //
                                         AgeRow{"TtlOverTheWritersBound", 10s, {}, 11s, {}}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace keygate::keys
