#include "telemetry/log.hpp"

#include "telemetry/audit_log.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <concepts>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace keygate::telemetry {
namespace {

using namespace std::literals;

// What `act` puts on stderr under these options.
template <std::invocable Act>
std::string logged(const LogOptions& options, Act act) {
  configure_log(options);
  ::testing::internal::CaptureStderr();
  act();
  return ::testing::internal::GetCapturedStderr();
}

std::string logged(const LogOptions& options, std::string_view message) {
  return logged(options, [message] { log(Level::warn, message); });
}

constexpr LogOptions json{Level::info, true};
constexpr LogOptions text{Level::info, false};

std::string message_of(const std::string& line) {
  EXPECT_EQ(std::ranges::count(line, '\n'), 1) << line;
  const auto object = boost::json::parse(line).as_object();
  EXPECT_EQ(object.size(), 3U);
  EXPECT_EQ(object.at("level").as_string(), "warning");
  EXPECT_TRUE(object.contains("time"));
  const auto& message = object.at("message").as_string();
  return {message.data(), message.size()};
}

TEST(Log, SaysTimeLevelAndMessage) {
  const std::string line = logged(text, "the sink is slow");
  EXPECT_EQ(line.substr(line.find(' ')), " warning the sink is slow\n");
  EXPECT_EQ(line.find('Z'), line.find(' ') - 1) << line;
  EXPECT_EQ(message_of(logged(json, "the sink is slow")), "the sink is slow");
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  EXPECT_EQ(logged({Level::error, true}, "x"), "");
  EXPECT_EQ(logged({Level::warn, true}, [] { log(Level::info, "x"); }), "");
  EXPECT_EQ(logged(json, [] { log(Level::debug, "x"); }), "");
  EXPECT_NE(logged({Level::debug, true}, [] { log(Level::debug, "x"); }), "");
}

TEST(Log, WritesTheAuditWhateverTheLevel) {
  const auto line = boost::json::parse(logged({Level::error, true}, [] { audit("revokeKey\nby admin"); }));
  EXPECT_EQ(line.at("level").as_string(), "audit");
  EXPECT_EQ(line.at("message").as_string(), "revokeKey?by admin");
  EXPECT_TRUE(logged({Level::error, false}, [] { audit("x"); }).ends_with(" audit x\n"));
}

TEST(Log, H13_HoldsNoLineThatIsForged) {
  for (const auto message :
       {"a\n{\"level\":\"error\"}"sv, "a\",\"level\":\"error\",\"x\":\""sv, "a\r\nb"sv, "a\0b"sv, "\\"sv, "\x1b[2J"sv,
        "\x7f"sv, "\xff\xfe"sv, "\xc3\x28"sv, "\xc2\x9b"sv, "\xed\xa0\x80"sv, "\xc0\xaf"sv, "\xf5\x80\x80\x80"sv,
        "\xe2\x82"sv, "\xf0\x80\x80\x80"sv, "\xf4\x90\x80\x80"sv, "\xe0\x80\x80"sv}) {
    for (const auto& options : {json, text}) {
      const std::string line = logged(options, message);
      EXPECT_EQ(std::ranges::count(line, '\n'), 1) << line;
      EXPECT_EQ(line.back(), '\n');
      EXPECT_TRUE(std::ranges::none_of(line.substr(0, line.size() - 1), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
      })) << line;
      for (const auto not_utf8 :
           {"\xff", "\xc3\x28", "\xc2\x9b", "\xed\xa0", "\xc0", "\xf5", "\xf0\x80", "\xf4\x90", "\xe0\x80"}) {
        EXPECT_EQ(line.find(not_utf8), std::string::npos) << line;
      }
    }
    EXPECT_NO_THROW(message_of(logged(json, message)));
  }
}

TEST(Log, KeepsTextOfOtherLanguages) {
  const std::string message = "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xef\xbf\xbd \xc2\xa0 \xf4\x8f\xbf\xbf";
  EXPECT_EQ(message_of(logged(json, message)), message);
}

TEST(Log, PutsAQuestionMarkForEachByteThatIsNotShown) {
  EXPECT_EQ(message_of(logged(json, "a\xff\xc3z\xe2\x82")), "a??z??");
  EXPECT_EQ(message_of(logged(json, "tab\tbell\x07")), "tab?bell?");
}

TEST(Log, TakesBracesAsTheyAre) {
  EXPECT_EQ(message_of(logged(json, "{} {0} {:d} %v %*")), "{} {0} {:d} %v %*");
  EXPECT_NE(logged(text, "{} {0} %v").find("{} {0} %v"), std::string::npos);
}

TEST(Log, SaysTheSameSeldom) {
  const std::string lines = logged(json, [] {
    for (int i = 0; i < 5; ++i) log_seldom(Level::warn, "seldom", "again");
    log_seldom(Level::warn, "another topic", "once");
  });
  EXPECT_EQ(std::ranges::count(lines, '\n'), 2) << lines;
  EXPECT_NE(lines.find("again"), std::string::npos);
  EXPECT_NE(lines.find("once"), std::string::npos);
}

TEST(Log, ConcurrentWritersTearNoLine) {
  const std::string lines = logged(json, [] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([] {
        for (int n = 0; n < 100; ++n) log(Level::warn, "one line");
        for (int n = 0; n < 100; ++n) log_seldom(Level::warn, "concurrent", "seldom");
      });
    }
    for (auto& thread : threads) thread.join();
  });
  EXPECT_EQ(std::ranges::count(lines, '\n'), 401);
  std::size_t begin = 0;
  while (begin < lines.size()) {
    const auto end = lines.find('\n', begin) + 1;
    EXPECT_NO_THROW(message_of(lines.substr(begin, end - begin)));
    begin = end;
  }
}

}  // namespace
}  // namespace keygate::telemetry
