#include "keys/strict_json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keygate::keys {
namespace {

struct Row {
  std::string name;
  std::string text;
  bool is_accepted;
};

class StrictJsonTest : public testing::TestWithParam<Row> {};

std::string nested(std::size_t depth) {
  return R"({"a":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

TEST_P(StrictJsonTest, TakesOneValueToTheLetter) {
  EXPECT_EQ(parse_strict_json(GetParam().text, 8).has_value(), GetParam().is_accepted)
      << GetParam().text.substr(0, 200);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, StrictJsonTest,
    testing::Values(Row{"Object", R"({"a":1,"b":[true,null,"x"],"c":{"a":1}})", true},
                    Row{"BlanksAround", " {\"a\" : 1}\r\n", true},                    //
                    Row{"Duplicate", R"({"a":1,"a":1})", false},                      //
                    Row{"EscapedDuplicate", R"({"a":1,"\u0061":2})", false},          //
                    Row{"DuplicateFurtherIn", R"({"a":{"b":1,"b":2}})", false},       //
                    Row{"DuplicateInAList", R"({"a":[{"b":1,"b":2}]})", false},       //
                    Row{"SameNameInTwoObjects", R"({"a":[{"b":1},{"b":2}]})", true},  //
                    Row{"LongDuplicate",
                        "{\"" + std::string(5'000, 'k') + "\":1,\"" + std::string(5'000, 'k') + "\":2}", false},
                    Row{"Nothing", "", false},                         //
                    Row{"List", "[1]", true},                          //
                    Row{"Number", "1", true},                          //
                    Row{"TwoObjects", "{}{}", false},                  //
                    Row{"TextBehind", "{} x", false},                  //
                    Row{"HalfAnObject", R"({"a":1)", false},           //
                    Row{"TrailingComma", R"({"a":1,})", false},        //
                    Row{"Comment", R"({"a":1/**/})", false},           //
                    Row{"SingleQuotes", R"({'a':1})", false},          //
                    Row{"NotANumber", R"({"a":NaN})", false},          //
                    Row{"BrokenUtf8", "{\"a\":\"\xC3\x28\"}", false},  //
                    Row{"Control", "{\"a\":\"\n\"}", false},           //
                    Row{"DepthEight", nested(8), true},                //
                    Row{"DepthNine", nested(9), false},                //
                    Row{"DepthOfAHundredThousand", std::string(60'000, '['), false}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace keygate::keys
