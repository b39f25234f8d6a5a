#include "keys/resp_gate.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keygate::keys {
namespace {

std::optional<RespFlaw> flaw_of(std::string_view bytes) {
  RespGate gate;
  return gate.pass(bytes);
}

std::optional<RespFlaw> flaw_byte_by_byte(std::string_view bytes) {
  RespGate gate;
  for (const char byte : bytes) {
    if (const auto flaw = gate.pass({&byte, 1})) return flaw;
  }
  return std::nullopt;
}

struct Row {
  std::string name;
  std::string bytes;
  std::optional<RespFlaw> flaw;
};

class RespGateTest : public testing::TestWithParam<Row> {};

std::string string_of(std::size_t size) {
  return "$" + std::to_string(size) + "\r\n" + std::string(size, 'x') + "\r\n";
}

std::vector<Row> rows() {
  using enum RespFlaw;
  const auto none = std::nullopt;
  return {
      {"Status", "+OK\r\n", none},
      {"Error", "-WRONGTYPE Operation against a key\r\n", none},
      {"Integer", ":-1\r\n:0\r\n:9223372036854775807\r\n", none},
      {"String", "$5\r\na\r\nb\n\r\n", none},
      {"EmptyString", "$0\r\n\r\n", none},
      {"NullString", "$-1\r\n", none},
      {"NullArray", "*-1\r\n", none},
      {"Array", "*3\r\n$1\r\na\r\n:1\r\n*0\r\n+OK\r\n", none},
      {"ArraysInAnArray", "*2\r\n*1\r\n:1\r\n*2\r\n:1\r\n:2\r\n+OK\r\n", none},
      {"LargestString", string_of(RespGate::max_string) + string_of(RespGate::max_string), none},
      {"F04Http", "HTTP/1.1 400 Bad Request\r\n", unknown_type},
      {"F04NegativeLength", "$-2\r\n", bad_number},
      {"F04LengthOfLetters", "$abc\r\n", bad_number},
      {"F04NoLength", "$\r\n", bad_number},
      {"F04PlusInLength", "$+1\r\na\r\n", bad_number},
      {"F04PaddedLength", "$01\r\na\r\n", bad_number},
      {"F04MinusZero", "$-0\r\n", bad_number},
      {"F04SpaceInLength", "$1 \r\na\r\n", bad_number},
      {"F04LargeInteger", ":9223372036854775808\r\n", bad_number},
      {"F04EndlessInteger", ":" + std::string(100, '1'), bad_number},
      {"F04Resp3Null", "_\r\n", unknown_type},
      {"F04Resp3Map", "%1\r\n+a\r\n:1\r\n", unknown_type},
      {"F04Resp3Push", ">1\r\n+a\r\n", unknown_type},
      {"F04WrongTerminator", "$3\r\nabcXY", bad_terminator},
      {"F04HalfATerminator", "$3\r\nabc\rY", bad_terminator},
      {"F04BareLineFeed", "+OK\n", bad_line},
      {"F04BareCarriageReturn", "+O\rK\r\n", bad_line},
      {"F04NulInALine", std::string("+O\0K\r\n", 6), bad_line},
      {"F04Nesting", "*1\r\n*1\r\n*1\r\n:1\r\n", too_deep},
      {"F04NestingNine", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", too_deep},
      {"F05HugeString", "$9999999999999\r\n", too_large},
      {"F05StringOverTheLimit", "$65537\r\n", too_large},
      {"F05HugeArray", "*100000000\r\n", too_large},
      {"F05ArrayOverTheLimit", "*17\r\n", too_large},
      {"F05LengthBeyondAnyNumber", "$99999999999999999999\r\n", bad_number},
      {"F05EndlessStatus", "+" + std::string(70'000, 'a'), too_large},
      {"F05ManyLargeStrings", "*2\r\n" + string_of(60'000) + string_of(60'000), too_large},
      {"F05StringOverWhatIsLeftOfTheReply", "*2\r\n" + string_of(60'000) + "$60000\r\n", too_large},
  };
}

TEST_P(RespGateTest, F04F05_PassesWhatIsRespAndNothingElse) { EXPECT_EQ(flaw_of(GetParam().bytes), GetParam().flaw); }

TEST_P(RespGateTest, F04F05_JudgesAlikeByteByByte) { EXPECT_EQ(flaw_byte_by_byte(GetParam().bytes), GetParam().flaw); }

INSTANTIATE_TEST_SUITE_P(Replies, RespGateTest, testing::ValuesIn(rows()),
                         [](const auto& row) { return row.param.name; });

TEST(RespGate, CountsAReplyAtATime) {
  RespGate gate;
  for (int i = 0; i < 100; ++i) ASSERT_FALSE(gate.pass("*2\r\n" + string_of(30'000) + string_of(30'000))) << i;
}

}  // namespace
}  // namespace keygate::keys
