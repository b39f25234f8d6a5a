#include "config/environment.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace keygate::config {
namespace {

std::optional<std::string> lookup(const std::string& name) {
  if (name == "HOST") return "example.com";
  if (name == "EMPTY") return "";
  if (name == "TRICKY") return "a: [${HOST}] $$";
  return std::nullopt;
}

struct Row {
  const char* name;
  const char* text;
  const char* expected;  // null: a fault
};

class Substitution : public testing::TestWithParam<Row> {};

TEST_P(Substitution, ReplacesWhatIsWrittenAndNothingElse) {
  const auto result = substitute(GetParam().text, lookup);
  const auto* text = std::get_if<std::string>(&result);
  ASSERT_EQ(text != nullptr, GetParam().expected != nullptr) << GetParam().text;
  if (text != nullptr) {
    EXPECT_EQ(*text, GetParam().expected);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Substitution,
    testing::Values(
        Row{"Nothing", "plain", "plain"}, Row{"Empty", "", ""}, Row{"Whole", "${HOST}", "example.com"},
        Row{"Within", "http://${HOST}:80", "http://example.com:80"},
        Row{"Twice", "${HOST}${HOST}", "example.comexample.com"}, Row{"DefaultUnused", "${HOST:-other}", "example.com"},
        Row{"DefaultForUnset", "${NONE:-other}", "other"}, Row{"DefaultForEmpty", "${EMPTY:-other}", "other"},
        Row{"EmptyDefault", "${NONE:-}", ""}, Row{"SetButEmpty", "x${EMPTY}y", "xy"}, Row{"Dollar", "a$$b", "a$b"},
        Row{"EscapedReference", "$${HOST}", "${HOST}"}, Row{"ValueIsNotReadAgain", "${TRICKY}", "a: [${HOST}] $$"},
        Row{"Unset", "${NONE}", nullptr}, Row{"SingleDollar", "$HOST", nullptr}, Row{"DollarAtTheEnd", "a$", nullptr},
        Row{"Unclosed", "${HOST", nullptr}, Row{"NoName", "${}", nullptr}, Row{"BadName", "${1A}", nullptr},
        Row{"OtherOperator", "${HOST:?x}", nullptr}, Row{"Blank", "${ HOST }", nullptr}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Environment, OfTheProcessTellsUnsetFromEmpty) {
  setenv("KEYGATE_TEST_EMPTY", "", 1);
  unsetenv("KEYGATE_TEST_UNSET");
  EXPECT_EQ(process_environment("KEYGATE_TEST_EMPTY"), "");
  EXPECT_EQ(process_environment("KEYGATE_TEST_UNSET"), std::nullopt);
}

}  // namespace
}  // namespace keygate::config
