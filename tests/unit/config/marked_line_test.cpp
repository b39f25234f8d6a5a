#include "config/marked_line.hpp"

#include <gmock/gmock.h>

#include <string>

namespace keygate::config {
namespace {

using testing::HasSubstr;

TEST(MarkedLine, HasACaretAtTheColumnAndTildesUnderTheWord) {
  EXPECT_EQ(marked_line("limits: {header_timeout: 10}", 4, 26, {}),
            "    4 | limits: {header_timeout: 10}\n"
            "      |                          ^~\n");
  EXPECT_EQ(marked_line("name: \"a b\", x", 12345, 7, {}),
            "12345 | name: \"a b\", x\n"
            "      |       ^~~~~\n");
  EXPECT_EQ(marked_line("path: /v1/{org}/x", 1, 7, {}),
            "    1 | path: /v1/{org}/x\n"
            "      |       ^~~~~~~~~~~\n");
  EXPECT_EQ(marked_line("log: [info]", 1, 6, {}),
            "    1 | log: [info]\n"
            "      |      ^\n");
  EXPECT_EQ(marked_line("limit: {}", 1, 1, {}),
            "    1 | limit: {}\n"
            "      | ^~~~~\n");
}

TEST(MarkedLine, MarksTheEndWhereTheColumnIsBehindIt) {
  EXPECT_EQ(marked_line("a: [", 1, 5, {}),
            "    1 | a: [\n"
            "      |     ^\n");
  EXPECT_EQ(marked_line("", 1, 9, {}),
            "    1 |\n"
            "      | ^\n");
}

// Columns count bytes; what is seen is characters, some of them twice as wide, some of no width.
TEST(MarkedLine, CountsWhatIsSeenRatherThanBytes) {
  EXPECT_EQ(marked_line("\xC3\xA9: x", 1, 5, {}),
            "    1 | \xC3\xA9: x\n"
            "      |    ^\n");
  EXPECT_EQ(marked_line("\xE6\x97\xA5\xE6\x9C\xAC: x", 1, 9, {}),
            "    1 | \xE6\x97\xA5\xE6\x9C\xAC: x\n"
            "      |       ^\n");
  EXPECT_EQ(marked_line("e\xCC\x81: x", 1, 6, {}),
            "    1 | e\xCC\x81: x\n"
            "      |    ^\n");
  EXPECT_EQ(marked_line("a:\tx", 1, 4, {}),
            "    1 | a:  x\n"
            "      |     ^\n");
}

TEST(MarkedLine, HidesWhatIsHiddenAndStillMarksIt) {
  EXPECT_EQ(marked_line("{secret: hunter2, b: c}", 1, 10, {{9, 16}}),
            "    1 | {secret: ***, b: c}\n"
            "      |          ^~~\n");
  EXPECT_EQ(marked_line("{secret: hunter2, b: c}", 1, 22, {{9, 16}}),
            "    1 | {secret: ***, b: c}\n"
            "      |                  ^\n");
}

TEST(MarkedLine, CutsALongLineAroundTheColumn) {
  const std::string line = "a: [" + std::string(300, 'x') + ", here, " + std::string(300, 'y') + "]";
  const std::string text = marked_line(line, 1, 307, {});
  const auto end = text.find('\n');
  EXPECT_LE(end, 116U);
  EXPECT_THAT(text, HasSubstr("x, here, y"));
  EXPECT_TRUE(text.starts_with("    1 | ...x"));
  EXPECT_TRUE(text.substr(0, end).ends_with("y..."));
  EXPECT_EQ(text.find("here"), text.find('^') - end - 1) << text;
}

TEST(MarkedLine, ShowsNothingThatIsNoText) {
  EXPECT_EQ(marked_line("a: \x1b[31m", 1, 1, {}), "");
  EXPECT_EQ(marked_line("a: \xFF", 1, 1, {}), "");
  EXPECT_EQ(marked_line("a: \xC3", 1, 1, {}), "");
  EXPECT_EQ(marked_line(std::string(200'000, 'x'), 1, 1, {}), "");
}

// CVE-2021-42574: characters that turn the direction of text make a line look like another.
TEST(MarkedLine, ShowsNoCharacterThatTurnsText) {
  EXPECT_EQ(marked_line("a\xE2\x80\xAE: x", 1, 1, {}),
            "    1 | a?: x\n"
            "      | ^~\n");
}

}  // namespace
}  // namespace keygate::config
