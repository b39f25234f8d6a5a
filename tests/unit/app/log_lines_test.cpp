#include "app/log_lines.hpp"

#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

namespace keygate::app {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::vector<std::pair<std::string, std::uint64_t>> lines_of(const std::string& text) {
  const test::TempDir folder;
  std::vector<std::pair<std::string, std::uint64_t>> lines;
  EXPECT_EQ(for_each_line(folder.write("log", text),
                          [&](std::string_view line, std::uint64_t number) { lines.emplace_back(line, number); }),
            0);
  return lines;
}

TEST(LogLines, AreTakenOneByOneWithTheirNumbers) {
  EXPECT_THAT(lines_of("a\n\nb\r\nc"), ElementsAre(Pair("a", 1U), Pair("b", 3U), Pair("c", 4U)));
  EXPECT_THAT(lines_of(""), ElementsAre());
  EXPECT_THAT(lines_of("a\n"), ElementsAre(Pair("a", 1U)));
}

TEST(LogLines, OfALongOneOnlyItsBeginningIsKept) {
  const auto lines =
      lines_of("a\n" + std::string(3 * max_log_line, 'x') + "\nb\n" + std::string(2 * max_log_line, 'y'));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[1].first.size(), max_log_line);
  EXPECT_THAT(lines[2], Pair("b", 3U));
  EXPECT_EQ(lines[3].first, std::string(max_log_line, 'y'));
}

TEST(LogLines, AFileThatCannotBeReadIsAnError) {
  const auto never = [](std::string_view, std::uint64_t) { FAIL(); };
  EXPECT_EQ(for_each_line("/nowhere/log", never), ENOENT);
  EXPECT_EQ(for_each_line("/", never), EISDIR);
}

}  // namespace
}  // namespace keygate::app
