// Targets under `paths`: what is put in one form rather than refused, and what stays refused whatever it says.
#include "policy/path_changes.hpp"
#include "policy/target.hpp"
#include "tests/unit/policy/builders.hpp"
#include "tests/unit/policy/reference_target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::policy {
namespace {

using config::PathSettings;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::property_scale;
using testing::TargetText;

constexpr PathSettings opaque{.opaque_slashes = true};
constexpr PathSettings merge{.merge_slashes = true};
constexpr PathSettings resolve{.resolve_dots = true};
constexpr PathSettings allow{.allow_semicolons = true};
constexpr PathSettings tidy{.merge_slashes = true, .resolve_dots = true};
constexpr PathSettings everything{true, true, true, true};

struct Taken {
  std::string name;
  PathSettings rules;
  std::string raw;
  std::string whole;
};

class RelaxedTarget : public ::testing::TestWithParam<Taken> {};

TEST_P(RelaxedTarget, IsPutInOneForm) {
  const TargetText text(GetParam().raw, GetParam().rules);
  ASSERT_NE(text.target(), nullptr) << to_string(*text.flaw());
  EXPECT_EQ(text.target()->whole(), GetParam().whole);
  const auto question = GetParam().whole.find('?');
  EXPECT_EQ(text.target()->path(), GetParam().whole.substr(0, question));
  EXPECT_EQ(text.target()->has_query(), question != std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, RelaxedTarget,
    ::testing::Values(
        Taken{"P03_slash_stays_escaped", opaque, "/files/a%2fb", "/files/a%2Fb"},
        Taken{"P03_upper_case_already", opaque, "/files/a%2Fb", "/files/a%2Fb"},
        Taken{"P03_alone", opaque, "/%2f", "/%2F"}, Taken{"P03_first_and_last", opaque, "/%2fa%2f/", "/%2Fa%2F/"},
        Taken{"P03_in_a_row", opaque, "/get/https%3a%2f%2fa.example%2f", "/get/https%3A%2F%2Fa.example%2F"},
        Taken{"P03_three_dots_are_no_dots", opaque, "/a%2f...%2fb", "/a%2F...%2Fb"},
        Taken{"P03_behind_what_has_shrunk", opaque, "/%61%2f%62?c", "/a%2Fb?c"},
        Taken{"P04_inner", merge, "/v1//admin", "/v1/admin"}, Taken{"P04_leading", merge, "///admin", "/admin"},
        Taken{"P04_last", merge, "/v1/a//", "/v1/a/"}, Taken{"P04_only", merge, "////", "/"},
        Taken{"P04_authority_like", merge, "//admin.example/x", "/admin.example/x"},
        Taken{"P04_before_query", merge, "/a//?b//c", "/a/?b//c"},
        Taken{"P01_parent", resolve, "/public/../admin", "/admin"}, Taken{"P01_current", resolve, "/v1/./a", "/v1/a"},
        Taken{"P01_parent_last", resolve, "/v1/a/..", "/v1/"}, Taken{"P01_current_last", resolve, "/v1/.", "/v1/"},
        Taken{"P01_parent_and_slash", resolve, "/v1/a/../", "/v1/"}, Taken{"P01_to_the_root", resolve, "/a/..", "/"},
        Taken{"P01_root_itself", resolve, "/.", "/"}, Taken{"P01_root_twice", resolve, "/././", "/"},
        Taken{"P01_rfc_3986", resolve, "/a/b/c/./../../g", "/a/g"},
        Taken{"P01_rfc_3986_mid", resolve, "/mid/content=5/../6", "/mid/6"},
        Taken{"P01_before_query", resolve, "/a/b/..?x=/../y", "/a/?x=/../y"},
        Taken{"P01_three_dots_stay", resolve, "/a/.../b", "/a/.../b"},
        Taken{"P01_dots_in_a_name_stay", resolve, "/..a/b../.c", "/..a/b../.c"},
        Taken{"P02_escaped", resolve, "/public/%2e%2e/admin", "/admin"},
        Taken{"P02_half_escaped", resolve, "/public/.%2E/admin", "/admin"},
        Taken{"P02_current", resolve, "/public/%2e/a", "/public/a"},
        Taken{"P01_P04_slashes_are_merged_first", tidy, "/a//../b", "/b"},
        Taken{"P01_P04_parent_then_slashes", tidy, "/a/b/..//c", "/a/c"},
        Taken{"P01_P04_last", tidy, "/a//b//..//", "/a/"},
        Taken{"P05_parameter", allow, "/map;v=1/a;b;c", "/map;v=1/a;b;c"},
        Taken{"P05_last", allow, "/admin;", "/admin;"}, Taken{"P05_before_query", allow, "/a;b?c;d", "/a;b?c;d"},
        Taken{"P05_behind_what_has_shrunk", allow, "/%61;%62", "/a;b"},
        Taken{"P01_P03_takes_away_an_opaque_segment", everything, "/v1/a%2fb/../c", "/v1/c"},
        Taken{"P01_P05_takes_away_a_parameter", everything, "/v1/a;b/../c", "/v1/c"}),
    [](const auto& row) { return row.param.name; });

struct StillRefused {
  std::string name;
  PathSettings rules;
  std::string raw;
  TargetFlaw flaw;
};

class RefusedAllTheSame : public ::testing::TestWithParam<StillRefused> {};

TEST_P(RefusedAllTheSame, HasItsFlaw) {
  const TargetText text(GetParam().raw, GetParam().rules);
  ASSERT_NE(text.flaw(), nullptr) << text.target()->whole();
  EXPECT_EQ(to_string(*text.flaw()), to_string(GetParam().flaw));
}

using enum TargetFlaw;

INSTANTIATE_TEST_SUITE_P(
    Threats, RefusedAllTheSame,
    ::testing::Values(StillRefused{"P01_above_the_root", resolve, "/../admin", above_root},
                      StillRefused{"P01_above_the_root_last", resolve, "/..", above_root},
                      StillRefused{"P01_above_the_root_later", resolve, "/a/../../admin", above_root},
                      StillRefused{"P01_above_the_root_by_slashes", tidy, "/a//../../admin", above_root},
                      StillRefused{"P02_above_the_root_escaped", resolve, "/%2e%2e/admin", above_root},
                      StillRefused{"P03_dots_behind_a_slash", everything, "/public/x%2f..%2f..%2fadmin", dot_segment},
                      StillRefused{"P03_dots_before_a_slash", everything, "/public/..%2fadmin", dot_segment},
                      StillRefused{"P03_dots_last", everything, "/public/x%2f..", dot_segment},
                      StillRefused{"P03_one_dot", everything, "/public/x%2f.%2fy", dot_segment},
                      StillRefused{"P02_P03_escaped_dots", everything, "/public/%2e%2e%2fadmin", dot_segment},
                      StillRefused{"P03_backslash", everything, "/v1/a%5cb", encoded_separator},
                      StillRefused{"P03_semicolon", everything, "/v1/a%3bb", encoded_separator},
                      StillRefused{"P03_question_mark", everything, "/v1/a%3fb", encoded_separator},
                      StillRefused{"P03_hash", everything, "/v1/a%23b", encoded_separator},
                      StillRefused{"P03_nul", everything, "/v1/a%00", encoded_separator},
                      StillRefused{"P03_line_feed", everything, "/v1/a%0Ab", encoded_separator},
                      StillRefused{"P04_not_by_resolving", resolve, "/a//../b", empty_segment},
                      StillRefused{"P04_left_by_resolving", resolve, "/a/..//b", empty_segment},
                      StillRefused{"P05_parent", everything, "/public/..;/admin", dot_segment},
                      StillRefused{"P05_parent_with_parameter", everything, "/public/..;a=b/admin", dot_segment},
                      StillRefused{"P05_current", everything, "/public/.;/admin", dot_segment},
                      StillRefused{"P02_P05_escaped_parent", everything, "/public/%2e%2e;/admin", dot_segment},
                      StillRefused{"P03_P05_parent_behind_a_slash", everything, "/public/a%2f..;b", dot_segment},
                      StillRefused{"P05_nothing_but_a_parameter", everything, "/;/admin", empty_segment},
                      StillRefused{"P05_nothing_behind_a_slash", everything, "/a%2f;b", empty_segment},
                      StillRefused{"P06_backslash", everything, "/public\\..\\admin", forbidden_byte},
                      StillRefused{"P07_hash", everything, "/admin#/public", forbidden_byte},
                      StillRefused{"P10_slash", everything, "/v1%252fadmin", double_encoding},
                      StillRefused{"P10_parent", everything, "/public/%252e%252e/admin", double_encoding},
                      StillRefused{"P10_semicolon", everything, "/v1/%253B", double_encoding},
                      StillRefused{"P10_in_pieces", everything, "/v1/%25%32%66", double_encoding},
                      StillRefused{"P15_overlong", everything, "/%C0%AF", invalid_utf8},
                      StillRefused{"P15_cut_off_by_an_escaped_slash", everything, "/%C3%2F", invalid_utf8},
                      StillRefused{"P16_broken", everything, "/%2", bad_escape}),
    [](const auto& row) { return row.param.name; });

TEST(RelaxedPaths, EachRelaxationIsOneAlone) {
  const std::array<std::string, 4> needs{"/a%2Fb", "/a//b", "/a/../b", "/a;b"};
  const std::array<PathSettings, 4> rules{opaque, merge, resolve, allow};
  for (std::size_t path = 0; path < needs.size(); ++path) {
    for (std::size_t rule = 0; rule < rules.size(); ++rule) {
      EXPECT_EQ(TargetText(needs[path], rules[rule]).target() != nullptr, path == rule) << needs[path] << ' ' << rule;
    }
  }
}

TEST(RelaxedPaths, CountsTheSegmentsThatAreLeft) {
  std::string path;
  for (std::size_t i = 0; i < RequestTarget::max_segments; ++i) path += "/a";
  EXPECT_NE(TargetText(path + "/../b//", everything).target(), nullptr);
  EXPECT_NE(TargetText(path + "%2Fb", everything).target(), nullptr);
  const TargetText one_more(path + "/../b/c", everything);
  ASSERT_NE(one_more.flaw(), nullptr);
  EXPECT_EQ(*one_more.flaw(), too_many_segments);
}

TEST(PathChanges, AreThoseThatThePathOwesItToThatItIsTaken) {
  using enum PathChange;
  EXPECT_THAT(path_changes("/a/b", everything), IsEmpty());
  EXPECT_THAT(path_changes("/%61/b%2a", everything), IsEmpty());
  EXPECT_THAT(path_changes("/a%2fb", everything), ElementsAre(opaque_slash));
  EXPECT_THAT(path_changes("/a//b", everything), ElementsAre(merged_slashes));
  EXPECT_THAT(path_changes("/a/%2e/b", everything), ElementsAre(resolved_dots));
  EXPECT_THAT(path_changes("/a;b", everything), ElementsAre(kept_semicolon));
  EXPECT_THAT(path_changes("//a%2fb/../c;d", everything),
              ElementsAre(opaque_slash, merged_slashes, resolved_dots, kept_semicolon));
}

// An upstream that decodes, cuts parameters off, turns backslashes and resolves dots: segment by segment, as it reads
// them. What has been taken away by `..` is marked.
std::vector<std::string> careless(std::string_view path, bool& climbs) {
  std::string decoded;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto byte = path[i] == '%' ? testing::hex_byte(path.substr(i + 1)) : std::nullopt;
    decoded += byte ? static_cast<char>(*byte) : path[i];
    i += byte ? 2 : 0;
  }
  std::replace(decoded.begin(), decoded.end(), '\\', '/');
  std::vector<std::string> segments;
  for (auto segment : testing::split_at(decoded, '/')) {
    segment = segment.substr(0, segment.find_first_of(std::string_view(";?#\0", 4)));
    climbs = climbs || segment == ".." || segment == ".";
    if (!segment.empty()) segments.push_back(segment);
  }
  return segments;
}

std::string nasty_path(std::mt19937& random) {
  static const std::array<std::string_view, 36> pieces{
      "a",   "b",  "/",   "/",    "/",   "/",   "//",  "..",   ".",      "/../", "/./", "%2e",
      "%2E", ".",  "%2f", "%2F",  "%2F", "%5C", "%25", "%252", "e",      "2",    "f",   ";",
      ";",   ";x", "%3b", "..;/", "%41", "%c3", "%A9", "%00",  "%c0%af", "?",    "\\",  "%3a"};
  std::string path = "/";
  for (std::size_t count = random() % 9; count > 0; --count) path += pieces[random() % pieces.size()];
  return path;
}

TEST(RelaxedPaths, P17TheFormIsThatOfAPlainReadingAndIsAFixedPoint) {
  const auto all = testing::all_path_rules();
  std::mt19937 random(20260726);
  std::size_t taken = 0, changed = 0;
  for (unsigned round = 0; round < 400'000 / property_scale; ++round) {
    const auto raw = nasty_path(random);
    const auto& rules = all[random() % all.size()];
    const std::string path = raw.substr(0, raw.find('?'));
    const auto due = testing::reference_path(path, rules);
    const TargetText once(path, rules);
    ASSERT_EQ(once.target() != nullptr, due.has_value()) << raw;
    if (!due) continue;
    ++taken;
    if (*due != path) ++changed;
    ASSERT_EQ(once.target()->whole(), *due) << raw;
    const TargetText twice(*due, rules);
    ASSERT_NE(twice.target(), nullptr) << raw;
    ASSERT_EQ(twice.target()->whole(), *due) << raw;
  }
  EXPECT_GT(taken, 50'000U / property_scale);  // or the generator has stopped testing anything
  EXPECT_GT(changed, 20'000U / property_scale);
}

TEST(RelaxedPaths, P17NothingThatIsRefusedIsLeftInIt) {
  std::mt19937 random(26);
  for (unsigned round = 0; round < 200'000 / property_scale; ++round) {
    const auto raw = nasty_path(random);
    const TargetText text(raw.substr(0, raw.find('?')), everything);
    if (text.flaw() != nullptr) continue;
    const std::string_view path = text.target()->path();
    ASSERT_EQ(path.find("//"), std::string_view::npos) << raw;
    bool climbs = false;
    auto read = careless(path, climbs);
    ASSERT_FALSE(climbs) << raw << " became " << path;
    // What %2F has put together is read apart, and a parameter is cut off. Nothing else moves or goes.
    std::vector<std::string> due;
    for (const auto& segment : testing::split_at(path, '/')) {
      bool ignored = false;
      for (auto& piece : careless(segment, ignored)) due.push_back(piece);
    }
    ASSERT_EQ(read, due) << raw << " became " << path;
  }
}

// With no relaxation at all: as strict as ever.
TEST(RelaxedPaths, IsNoneByDefault) {
  std::mt19937 random(1);
  for (unsigned round = 0; round < 50'000 / property_scale; ++round) {
    const auto raw = nasty_path(random);
    const TargetText plain(raw), none(raw, PathSettings{});
    ASSERT_EQ(plain.target() != nullptr, none.target() != nullptr) << raw;
    if (plain.target() == nullptr) continue;
    ASSERT_EQ(plain.target()->whole(), none.target()->whole()) << raw;
    ASSERT_THAT(path_changes(raw, {}), IsEmpty());
  }
}

}  // namespace
}  // namespace keygate::policy
