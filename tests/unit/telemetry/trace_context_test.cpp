#include "telemetry/trace_context.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::telemetry {
namespace {

constexpr std::string_view trace = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr std::string_view span_id = "00f067aa0ba902b7";

struct Row {
  std::string_view name, text;
  bool is_good = false, is_sampled = false;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.text; }

class TraceParentRows : public testing::TestWithParam<Row> {};

TEST_P(TraceParentRows, AreReadToTheLetter) {
  const auto parent = parse_trace_parent(GetParam().text);
  ASSERT_EQ(parent.has_value(), GetParam().is_good);
  if (!parent) return;
  EXPECT_EQ(parent->trace_id, trace);
  EXPECT_EQ(parent->span_id, span_id);
  EXPECT_EQ(parent->is_sampled, GetParam().is_sampled);
}

constexpr Row rows[] = {
    {"Sampled", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true, true},
    {"NotSampled", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", true, false},
    {"OtherFlags", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe", true, false},
    {"AllFlags", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", true, true},
    {"LaterVersion", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true, true},
    {"LaterVersionWithMore", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", true, true},
    {"LaterVersionWithMoreWithoutDash", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x"},
    {"KnownVersionWithMore", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"},
    {"ForbiddenVersion", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
    {"UpperCase", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"},
    {"UpperCaseVersion", "0A-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
    {"UpperCaseFlags", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A"},
    {"NoTrace", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"},
    {"NoSpan", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"},
    {"NoHex", "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01"},
    {"OtherSeparator", "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
    {"Short", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"},
    {"BlankBehind", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 "},
    {"Two",
     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01,00-4bf92f3577b34da6a3ce929d0e0e4736-"
     "00f067aa0ba902b7-01"},
    {"Empty", ""},
};

INSTANTIATE_TEST_SUITE_P(Table, TraceParentRows, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(TraceParent, IsWrittenAsVersion00) {
  std::array<char, trace_parent_size> room{};
  write_trace_parent({trace, span_id, true}, room);
  EXPECT_EQ(std::string_view(room.data(), room.size()), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  write_trace_parent({trace, span_id, false}, room);
  EXPECT_EQ(std::string_view(room.data(), room.size()), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
}

std::string state_of(const std::vector<std::string>& lines) {
  TraceState state;
  state.clear();
  for (const std::string& line : lines) state.add_line(line);
  return std::string(state.text());
}

TEST(TraceState, IsOneListOfAllItsLines) {
  EXPECT_EQ(state_of({"rojo=00f067aa0ba902b7, congo=t61rcWkgMzE", "", "a@b=1 2"}),
            "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,a@b=1 2");
  EXPECT_EQ(state_of({" ,a=1,\t,"}), "a=1");
}

TEST(TraceState, IsWorthlessWithOneMalformedMember) {
  for (const char* bad : {"a", "=1", "A=1", "a=", "a=1=2", "a b=1", "a=\x01", "a=\xc3\xa9", "a@b@c=1", "_a=1"}) {
    EXPECT_EQ(state_of({"good=1", bad}), "") << bad;
    EXPECT_EQ(state_of({bad, "good=1"}), "") << bad;
  }
  EXPECT_EQ(state_of({std::string(257, 'a') + "=1"}), "");
  EXPECT_EQ(state_of({"a=" + std::string(257, 'x')}), "");
}

TEST(TraceState, A12_KeepsWhatFitsFromTheLeft) {
  std::string members;
  for (int i = 0; i < 40; ++i) members += "k" + std::to_string(i) + "=v,";
  const std::string kept = state_of({members});
  EXPECT_TRUE(kept.starts_with("k0=v,")) << kept;
  EXPECT_TRUE(kept.ends_with(",k31=v")) << kept;
  const std::string half = "a=" + std::string(250, 'x');
  EXPECT_EQ(state_of({half, "b" + half, "c" + half}), half + ",b" + half);
  EXPECT_EQ(state_of({half, "b" + half, "c" + half, "d=1"}), half + ",b" + half) << "no gap in the middle";
}

TEST(TraceState, BeginsAnewWhenCleared) {
  TraceState state;
  state.add_line("A");
  state.clear();
  state.add_line("a=1");
  EXPECT_EQ(state.text(), "a=1");
}

}  // namespace
}  // namespace keygate::telemetry
