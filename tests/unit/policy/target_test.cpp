#include "policy/target.hpp"

#include "tests/unit/policy/builders.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::policy {
namespace {

using testing::property_scale;
using testing::TargetText;

std::string hex(unsigned byte) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  return {'%', digits[byte >> 4], digits[byte & 0xF]};
}

struct Refused {
  std::string name;
  std::string target;
  TargetFlaw flaw;
};

class RefusedTarget : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedTarget, HasItsFlaw) {
  const TargetText text(GetParam().target);
  ASSERT_NE(text.flaw(), nullptr) << text.target()->whole();
  EXPECT_EQ(to_string(*text.flaw()), to_string(GetParam().flaw));
}

using enum TargetFlaw;

INSTANTIATE_TEST_SUITE_P(
    Threats, RefusedTarget,
    ::testing::Values(
        Refused{"P01_parent_segment", "/public/../admin", dot_segment},
        Refused{"P01_current_then_parent", "/public/./../admin/", dot_segment},
        Refused{"P01_parent_of_root", "/..", dot_segment}, Refused{"P01_parent_last", "/v1/..", dot_segment},
        Refused{"P01_current_last", "/v1/.", dot_segment}, Refused{"P01_current_before_slash", "/v1/./", dot_segment},
        Refused{"P01_parent_before_query", "/v1/..?x", dot_segment},
        Refused{"P02_escaped_parent", "/public/%2e%2e/admin", dot_segment},
        Refused{"P02_half_escaped_parent", "/public/.%2e/admin", dot_segment},
        Refused{"P02_other_half_escaped", "/public/%2E./admin", dot_segment},
        Refused{"P02_escaped_current", "/public/%2e/admin", dot_segment},
        Refused{"P03_slash_and_parent", "/public%2f..%2fadmin", encoded_separator},
        Refused{"P03_slash", "/v1%2fadmin", encoded_separator},
        Refused{"P03_slash_upper", "/v1%2Fadmin", encoded_separator},
        Refused{"P03_backslash", "/v1/a%5cb", encoded_separator},
        Refused{"P03_semicolon", "/v1/a%3bb", encoded_separator},
        Refused{"P03_question_mark", "/v1/a%3fb", encoded_separator},
        Refused{"P03_hash", "/v1/a%23b", encoded_separator}, Refused{"P03_nul", "/v1/a%00", encoded_separator},
        Refused{"P03_line_feed", "/v1/a%0Ab", encoded_separator}, Refused{"P03_delete", "/v1/%7f", encoded_separator},
        Refused{"P04_leading", "//admin", empty_segment}, Refused{"P04_inner", "/v1//admin", empty_segment},
        Refused{"P04_three", "///admin", empty_segment}, Refused{"P04_only", "//", empty_segment},
        Refused{"P04_two_trailing", "/v1//", empty_segment},
        Refused{"P05_parent_with_parameter", "/public/..;/admin", dot_segment},
        Refused{"P05_parent_with_value", "/public/..;a=b/admin", dot_segment},
        Refused{"P05_current_with_parameter", "/public/.;x/admin", dot_segment},
        Refused{"P05_escaped_parent_with_parameter", "/public/%2e%2E;/admin", dot_segment},
        Refused{"P05_matrix_parameter", "/admin;x", semicolon}, Refused{"P05_lone", "/;/admin", semicolon},
        Refused{"P06_backslash", "/public\\..\\admin", forbidden_byte},
        Refused{"P06_escaped_backslash", "/public/..%5cadmin", encoded_separator},
        Refused{"P07_hash", "/admin#/public", forbidden_byte},
        Refused{"P07_hash_segment", "/public/#/../admin", forbidden_byte},
        Refused{"P07_escaped_hash", "/admin%23x", encoded_separator},
        Refused{"P07_hash_in_query", "/public?a#b", forbidden_byte}, Refused{"P09_rootless", "admin", not_origin_form},
        Refused{"P09_dot", ".", not_origin_form}, Refused{"P09_query_only", "?x", not_origin_form},
        Refused{"P09_scheme", "http:admin", not_origin_form}, Refused{"P09_port", ":80/admin", not_origin_form},
        Refused{"P09_asterisk", "*", not_origin_form}, Refused{"P09_empty", "", not_origin_form},
        Refused{"P10_escaped_parent", "/public/%252e%252e/admin", double_encoding},
        Refused{"P10_slash", "/v1%252fadmin", double_encoding}, Refused{"P10_percent", "/v1/%2525", double_encoding},
        Refused{"P10_semicolon", "/v1/%253B", double_encoding}, Refused{"P10_control", "/v1/%250a", double_encoding},
        Refused{"P10_digits_escaped_too", "/v1/%25%32%66", double_encoding},
        Refused{"P10_one_digit_escaped", "/v1/%252%46", double_encoding},
        Refused{"P10_second_of_two", "/v1/%25%252e", double_encoding},
        Refused{"P14_space_and_nul", std::string("/public \0/admin", 15), forbidden_byte},
        Refused{"P14_control", "/a\x01", forbidden_byte}, Refused{"P14_delete", "/a\x7f", forbidden_byte},
        Refused{"P14_raw_utf8", "/\xc3\xa9", forbidden_byte}, Refused{"P14_tab", "/a\tb", forbidden_byte},
        Refused{"P14_space_in_query", "/a?b c", forbidden_byte},
        Refused{"P14_raw_utf8_in_query", "/a?\xc3\xa9", forbidden_byte},
        Refused{"P15_overlong_dots", "/public/%c0%ae%c0%ae/admin", invalid_utf8},
        Refused{"P15_overlong_three", "/%e0%80%ae", invalid_utf8},
        Refused{"P15_overlong_four", "/%F0%80%80%AE", invalid_utf8},
        Refused{"P15_surrogate", "/%ED%A0%80", invalid_utf8},
        Refused{"P15_beyond_the_last", "/%F4%90%80%80", invalid_utf8},
        Refused{"P15_no_such_lead", "/%F5%80%80%80", invalid_utf8},
        Refused{"P15_lone_continuation", "/%80", invalid_utf8}, Refused{"P15_cut_off", "/%C3", invalid_utf8},
        Refused{"P15_cut_off_by_slash", "/%E2%82/%AC", invalid_utf8},
        Refused{"P15_cut_off_by_query", "/%E2%82?%AC", invalid_utf8},
        Refused{"P15_cut_off_by_ascii", "/%C3a", invalid_utf8},
        Refused{"P15_cut_off_by_escaped_ascii", "/%C3%41", invalid_utf8},
        Refused{"P16_percent_hides_escape", "/%%36%36", bad_escape}, Refused{"P16_alone", "/%", bad_escape},
        Refused{"P16_one_digit", "/%1", bad_escape}, Refused{"P16_no_digit", "/%g1", bad_escape},
        Refused{"P16_second_no_digit", "/%1g", bad_escape}, Refused{"P16_cut_by_query", "/%4?1", bad_escape},
        Refused{"P16_inside_utf8", "/%C3%zz", bad_escape}),
    [](const auto& row) { return row.param.name; });

struct Accepted {
  std::string name;
  std::string target;
  std::string path;
  std::string query;
};

class AcceptedTarget : public ::testing::TestWithParam<Accepted> {};

TEST_P(AcceptedTarget, HasOneCanonicalForm) {
  const TargetText text(GetParam().target);
  ASSERT_NE(text.target(), nullptr) << to_string(*text.flaw());
  const auto& target = *text.target();
  const bool has_query = GetParam().target.find('?') != std::string::npos;
  EXPECT_EQ(target.path(), GetParam().path);
  EXPECT_EQ(target.query(), GetParam().query);
  EXPECT_EQ(target.has_query(), has_query);
  EXPECT_EQ(target.whole(), GetParam().path + (has_query ? '?' + GetParam().query : ""));
}

INSTANTIATE_TEST_SUITE_P(
    Forms, AcceptedTarget,
    ::testing::Values(Accepted{"root", "/", "/", ""}, Accepted{"root_with_query", "/?a=b", "/", "a=b"},
                      Accepted{"plain", "/v1/projects/42", "/v1/projects/42", ""},
                      Accepted{"trailing_slash_is_kept", "/admin/", "/admin/", ""},
                      Accepted{"empty_query_is_kept", "/a?", "/a", ""},
                      Accepted{"every_plain_byte", "/-._~!$&'()*+,=:@[]", "/-._~!$&'()*+,=:@[]", ""},
                      Accepted{"dots_inside_a_segment", "/a..b/...", "/a..b/...", ""},
                      Accepted{"P08_path_ends_at_the_query", "/admin?x=/public/health", "/admin", "x=/public/health"},
                      Accepted{"P08_slash_in_query", "/admin?/public", "/admin", "/public"},
                      Accepted{"P10_hides_a_letter", "/%2561dmin", "/%2561dmin", ""},
                      Accepted{"P10_percent_and_no_digits", "/100%25", "/100%25", ""},
                      Accepted{"P10_percent_and_text", "/%25zz", "/%25zz", ""},
                      Accepted{"P15_fullwidth_slash_stays_escaped", "/a%ef%bc%8fb", "/a%EF%BC%8Fb", ""},
                      Accepted{"P15_two_bytes", "/%c3%a9", "/%C3%A9", ""},
                      Accepted{"P15_last_before_surrogates", "/%ED%9F%BF", "/%ED%9F%BF", ""},
                      Accepted{"P15_last_of_all", "/%F4%8F%BF%BF", "/%F4%8F%BF%BF", ""},
                      Accepted{"P16_tilde", "/%7Euser", "/~user", ""}, Accepted{"P16_letter", "/v1/%61", "/v1/a", ""},
                      Accepted{"P12_space_stays_escaped", "/admin%20", "/admin%20", ""},
                      Accepted{"hex_is_upper_cased", "/%2a%3a%2B", "/%2A%3A%2B", ""},
                      Accepted{"query_is_moved_up_unread", "/%61%62?%61=%zz;%2F..", "/ab", "%61=%zz;%2F.."},
                      Accepted{"second_question_mark_is_query", "/a?b?c", "/a", "b?c"}),
    [](const auto& row) { return row.param.name; });

TEST(RequestTarget, TakesNoMoreSegmentsThanItsLimit) {
  std::string path;
  for (std::size_t i = 0; i < RequestTarget::max_segments; ++i) path += "/a";
  EXPECT_NE(TargetText(path).target(), nullptr);
  EXPECT_NE(TargetText(path + '/').target(), nullptr);
  const TargetText one_more(path + "/a");
  ASSERT_NE(one_more.flaw(), nullptr);
  EXPECT_EQ(*one_more.flaw(), too_many_segments);
}

TEST(RequestTarget, P13EveryByteHasOneAnswerRawInPathAndQuery) {
  const std::string forbidden = "\"<>\\^`{|}#";
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool is_forbidden = byte < 0x21 || byte > 0x7E || forbidden.find(c) != std::string::npos;
    const bool in_path = !is_forbidden && c != ';' && c != '%';
    EXPECT_EQ(TargetText(std::string("/v1/a") + c + "b").target() != nullptr, in_path) << byte;
    EXPECT_EQ(TargetText(std::string("/v1?a") + c + "b").target() != nullptr, !is_forbidden) << byte;
  }
}

TEST(RequestTarget, P13EveryByteHasOneAnswerEscaped) {
  const std::string unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  const std::string separators = "/\\;?#";
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const TargetText text("/v1/a" + hex(byte) + "b");
    if (byte >= 0x80) {
      ASSERT_NE(text.flaw(), nullptr) << byte;
      EXPECT_EQ(*text.flaw(), invalid_utf8) << byte;
    } else if (byte < 0x20 || byte == 0x7F || separators.find(c) != std::string::npos) {
      ASSERT_NE(text.flaw(), nullptr) << byte;
      EXPECT_EQ(*text.flaw(), encoded_separator) << byte;
    } else {
      ASSERT_NE(text.target(), nullptr) << byte;
      const bool is_decoded = unreserved.find(c) != std::string::npos;
      EXPECT_EQ(text.target()->path(), is_decoded ? std::string("/v1/a") + c + "b" : "/v1/a" + hex(byte) + "b");
    }
  }
}

TEST(RequestTarget, P10NothingThatOneMoreDecodingTurnsIntoASeparatorPasses) {
  const std::string hidden = "/\\;?#.%";
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool is_hidden =
        byte < 0x20 || byte == 0x7F || (byte < 0x80 && hidden.find(static_cast<char>(byte)) != std::string::npos);
    const TargetText text("/v1/a%25" + hex(byte).substr(1) + "b");
    EXPECT_EQ(text.flaw() != nullptr, is_hidden) << byte;
  }
}

// Programs that stand behind a proxy, as plainly as they can be written: one decodes, one tidies up.
std::string decoded(std::string_view path) {
  std::string result;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto is_hex = [&](std::size_t at) {
      return at < path.size() && std::isxdigit(static_cast<unsigned char>(path[at]));
    };
    if (path[i] == '%' && is_hex(i + 1) && is_hex(i + 2)) {
      result += static_cast<char>(std::stoi(std::string(path.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      result += path[i];
    }
  }
  return result;
}

std::string tidied(const std::string& path) {
  std::vector<std::string> segments;
  std::string segment;
  const auto end = [&] {
    segment = segment.substr(0, segment.find(';'));
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    segment.clear();
  };
  for (const char c : path.substr(0, path.find_first_of(std::string_view("?#\0", 3)))) {
    if (c == '/' || c == '\\') {
      end();
    } else {
      segment += c;
    }
  }
  const bool has_trailing_slash = segment.empty() && path.size() > 1;
  end();
  std::string result;
  for (const auto& kept : segments) result += '/' + kept;
  if (has_trailing_slash || result.empty()) result += '/';
  return result;
}

TEST(RequestTarget, ThePlainNormaliserOfTheseTestsChangesWhatItShould) {
  EXPECT_EQ(tidied("/a/../b"), "/b");
  EXPECT_EQ(tidied("/a//b/./c/"), "/a/b/c/");
  EXPECT_EQ(tidied("/a/..;x/b"), "/b");
  EXPECT_EQ(tidied("/a\\..\\b"), "/b");
  EXPECT_EQ(decoded("/%2e%2E%zz"), "/..%zz");
}

std::string nasty_target(std::mt19937& random) {
  static const std::array<std::string_view, 40> pieces{
      "a",  "b",   "/",   "/",   "/",   ".",   "..",  "%2e",       "%2E", "%2f",       "%5C", "%25", "%252", "e",
      "2",  "f",   "%",   "%41", "%7e", "%c3", "%A9", "%e2%82%ac", "%80", "%ed%a0%80", ";",   "%3b", "?",    "#",
      "\\", "%00", "%20", "%3a", ":",   "+",   "%32", "%65",       "~",   "%5B",       "é",   "%23"};
  std::string target = "/";
  const auto count = std::uniform_int_distribution<std::size_t>(0, 9)(random);
  for (std::size_t i = 0; i < count; ++i) {
    target += pieces[std::uniform_int_distribution<std::size_t>(0, pieces.size() - 1)(random)];
  }
  return target;
}

TEST(RequestTarget, P17CanonicalFormIsAFixedPoint) {
  std::mt19937 random(20240717);
  std::size_t accepted = 0;
  for (unsigned round = 0; round < 1'000'000 / property_scale; ++round) {
    const auto raw = nasty_target(random);
    const TargetText once(raw);
    if (once.flaw() != nullptr) continue;
    ++accepted;
    const TargetText twice{std::string(once.target()->whole())};
    ASSERT_NE(twice.target(), nullptr) << raw;
    ASSERT_EQ(twice.target()->whole(), once.target()->whole()) << raw;
    ASSERT_EQ(twice.target()->path(), once.target()->path()) << raw;
    ASSERT_EQ(once.target()->path().find('?'), std::string_view::npos) << raw;  // P-08
  }
  EXPECT_GT(accepted, 100'000U / property_scale);  // or the generator has stopped testing anything
}

TEST(RequestTarget, WhatIsAcceptedNoProgramBehindReadsAsAnotherPath) {
  std::mt19937 random(7);
  for (unsigned round = 0; round < 200'000 / property_scale; ++round) {
    const auto raw = nasty_target(random);
    const TargetText text(raw);
    if (text.flaw() != nullptr) continue;
    const auto once = decoded(text.target()->path());
    ASSERT_EQ(tidied(once), once) << raw;
    const auto twice = decoded(once);  // P-10
    ASSERT_EQ(tidied(twice), twice) << raw;
  }
}

TEST(RequestTarget, P16EquivalentSpellingsAreOneTarget) {
  std::mt19937 random(16);
  for (unsigned round = 0; round < 50'000 / property_scale; ++round) {
    std::string plain = "/";
    std::string spelled = "/";
    for (int i = 0; i < 8; ++i) {
      const unsigned c = "abyzAZ09-_~"[random() % 11];
      plain += static_cast<char>(c);
      auto escape = hex(c);
      if (random() % 2 == 0) escape[2] = static_cast<char>(std::tolower(escape[2]));
      spelled += random() % 2 == 0 ? escape : std::string(1, static_cast<char>(c));
    }
    const TargetText text(spelled);
    ASSERT_NE(text.target(), nullptr) << spelled;
    ASSERT_EQ(text.target()->whole(), plain) << spelled;
  }
}

}  // namespace
}  // namespace keygate::policy
