#include "proxy/chunk_filter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::proxy {
namespace {

using namespace std::literals;

enum class Verdict { done, flawed, more };

void PrintTo(Verdict verdict, std::ostream* out) {
  *out << (verdict == Verdict::done ? "done" : verdict == Verdict::flawed ? "flawed" : "more");
}

// What came of a body that was fed in pieces.
struct Filtered {
  Verdict verdict = Verdict::more;
  std::string output;  // of the steps before a flaw
  std::size_t consumed = 0;
  std::size_t data = 0;
};

// `ends` are where the pieces end; the last is the end of the text.
Filtered filter(ChunkFraming framing, std::string_view text, const std::vector<std::size_t>& ends) {
  ChunkFilter chunks(framing);
  Filtered result;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    std::vector<char> piece(text.begin() + static_cast<std::ptrdiff_t>(begin),
                            text.begin() + static_cast<std::ptrdiff_t>(end));
    const ChunkFilter::Step step = chunks.feed(piece);
    if (step.is_flawed) {
      EXPECT_EQ(step.produced, 0U);
      result.verdict = Verdict::flawed;
      return result;
    }
    EXPECT_LE(step.produced, step.consumed);
    EXPECT_LE(step.data, step.produced);
    EXPECT_LE(step.consumed, piece.size());
    result.output.append(piece.data(), step.produced);
    result.consumed += step.consumed;
    result.data += step.data;
    if (step.is_done) {
      result.verdict = Verdict::done;
      result.output += chunks.tail();
      return result;
    }
    EXPECT_EQ(step.consumed, piece.size());
    begin = end;
  }
  return result;
}

Filtered whole(ChunkFraming framing, std::string_view text) { return filter(framing, text, {text.size()}); }

std::vector<std::size_t> byte_by_byte(std::size_t size) {
  std::vector<std::size_t> ends;
  for (std::size_t end = 1; end <= size; ++end) ends.push_back(end);
  return ends;
}

// Reads a body that is chunked and nothing else: no extension, no trailer. nullopt: it is something else.
std::optional<std::string> canonical_data(std::string_view text) {
  std::string data;
  while (true) {
    const auto line_end = text.find("\r\n");
    const auto line = text.substr(0, line_end);
    if (line_end == text.npos || line.empty() || line.find_first_not_of("0123456789abcdefABCDEF") != line.npos) {
      return std::nullopt;
    }
    const auto size = std::stoull(std::string(line), nullptr, 16);
    text.remove_prefix(line_end + 2);
    if (text.size() < size + 2 || text.substr(size, 2) != "\r\n") return std::nullopt;
    data += text.substr(0, size);
    text.remove_prefix(size + 2);
    if (size == 0) return text.empty() ? std::optional(data) : std::nullopt;
  }
}

std::string fields(std::size_t count, const std::string& line) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += line;
  return text;
}

// --- The table
// ----------------------------------------------------------------------------------------------------------------

struct Body {
  std::string name;
  std::string text;
  Verdict verdict = Verdict::flawed;
  std::string data = {};
  std::size_t beyond = 0;  // bytes behind the body that are not its own
};

void PrintTo(const Body& body, std::ostream* out) { *out << ::testing::PrintToString(body.text); }

std::vector<Body> good_bodies() {
  const std::string ext252(252, 'e');
  std::string full_extensions;  // 4,096 bytes of them
  for (int i = 0; i < 16; ++i) full_extensions += "1;" + ext252 + "\r\nx\r\n";
  full_extensions += "1;" + std::string(64, 'e') + "\r\nx\r\n";
  const std::string trailers_to_the_brim = "T: " + std::string(4096 - 7, 't') + "\r\n\r\n";
  return {
      {"Empty", "0\r\n\r\n", Verdict::done, ""},
      {"OneChunk", "5\r\nhello\r\n0\r\n\r\n", Verdict::done, "hello"},
      {"SeveralChunks", "1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", Verdict::done, "abcdef"},
      {"HexInBothCases", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", Verdict::done, "01234567890123456789"},
      {"DataThatLooksLikeFraming", "7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", Verdict::done, "0\r\n\r\n\r\n"},
      {"DataOfEveryKind", "6\r\n\0\r\n\xff;\x01\r\n0\r\n\r\n"s, Verdict::done, "\0\r\n\xff;\x01"s},
      {"R01_NextRequestIsNotTouched", "0\r\n\r\nGET /admin HTTP/1.1\r\n\r\n", Verdict::done, "", 23},
      {"R01_SmuggledByteIsNotTouched", "0\r\n\r\nG", Verdict::done, "", 1},
      {"LeadingZeros", "005\r\nhello\r\n000\r\n\r\n", Verdict::done, "hello"},
      {"FifteenDigits", "000000000000005\r\nhello\r\n0\r\n\r\n", Verdict::done, "hello"},
      {"Extension", "5;a=b\r\nhello\r\n0;c\r\n\r\n", Verdict::done, "hello"},
      {"EmptyExtension", "5;\r\nhello\r\n0\r\n\r\n", Verdict::done, "hello"},
      {"R05_QuotesInExtension", "5;a=\"b;c\"\r\nhello\r\n0\r\n\r\n", Verdict::done, "hello"},
      {"R05_OpenQuoteEndsWithTheLine", "5;a=\"\r\nhello\r\n0\r\n\r\n", Verdict::done, "hello"},
      {"TabInExtension", "5;\ta\t=b\r\nhello\r\n0\r\n\r\n", Verdict::done, "hello"},
      {"ExtensionToTheBrim", "1;" + ext252 + "\r\nx\r\n0\r\n\r\n", Verdict::done, "x"},
      {"ExtensionsToTheBrim", full_extensions + "0\r\n\r\n", Verdict::done, std::string(17, 'x')},
      {"M13_Trailers", "1\r\nx\r\n0\r\nX-Org-Id: evil\r\nHost: evil\r\nAuthorization: k\r\n\r\n", Verdict::done, "x"},
      {"TrailerWithoutValue", "0\r\nT:\r\n\r\n", Verdict::done, ""},
      {"TrailerOfObsText", "0\r\nT: \xe9\t\r\n\r\n", Verdict::done, ""},
      {"SixteenTrailers", "0\r\n" + fields(16, "T: 1\r\n") + "\r\n", Verdict::done, ""},
      {"TrailersToTheBrim", "0\r\n" + trailers_to_the_brim, Verdict::done, ""},
      {"NothingYet", "", Verdict::more, ""},
  };
}

std::vector<Body> bad_bodies() {
  const std::string ext253(253, 'e');
  std::string excess_extensions;
  for (int i = 0; i < 16; ++i) excess_extensions += "1;" + std::string(252, 'e') + "\r\nx\r\n";
  excess_extensions += "1;" + std::string(65, 'e') + "\r\nx\r\n";
  return {
      {"R04_LfBehindSize", "5\nhello\r\n0\r\n\r\n"},
      {"R04_LfBehindData", "5\r\nhello\n0\r\n\r\n"},
      {"R04_LfBehindLastChunk", "0\n\r\n"},
      {"R04_LfForTheEnd", "0\r\n\n"},
      {"R04_LfBehindTrailer", "0\r\nT: 1\n\r\n"},
      {"R04_ExtensionEndedByLf", "2;\nxx\r\n0\r\n\r\n"},
      {"R05_LfInExtension", "5;a\nb\r\nhello\r\n0\r\n\r\n"},
      {"R05_LfInQuotedExtension", "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"},
      {"R05_CrInExtension", "5;a\rb\r\nhello\r\n0\r\n\r\n"},
      {"R05_NulInExtension", "5;\0\r\nhello\r\n0\r\n\r\n"s},
      {"R05_DelInExtension", "5;\x7f\r\nhello\r\n0\r\n\r\n"},
      {"R05_ObsTextInExtension", "5;\xe9\r\nhello\r\n0\r\n\r\n"},
      {"R05_ExtensionOverTheBrim", "1;" + ext253 + "\r\nx\r\n0\r\n\r\n"},
      {"R05_FourKilobytesOfExtension", "1;" + std::string(4096, 'e') + "\r\nx\r\n0\r\n\r\n"},
      {"R05_ExtensionsOverTheBrim", excess_extensions + "0\r\n\r\n"},
      {"R06_SizeSmallerThanData", "1\r\nXYZ\r\n0\r\n\r\n"},
      {"R06_SizeLargerThanData", "5\r\nXYZ\r\n0\r\n\r\n"},
      {"R06_NoDataAtAll", "1\r\n\r\n\r\n0\r\n\r\n"},
      {"M12_SixteenEffs", "FFFFFFFFFFFFFFFF\r\n"},
      {"M12_SixteenDigits", "0000000000000005\r\nhello\r\n0\r\n\r\n"},
      {"M12_SeventeenDigits", "10000000000000000\r\n"},
      {"M12_SeventeenDigitsThatWrap", "10000000000000005\r\nhello\r\n0\r\n\r\n"},
      {"M12_ThirtyNineZeros", std::string(39, '0') + "\r\n\r\n"},
      {"M12_ThirtyNineZerosBeforeSize", std::string(39, '0') + "5\r\nhello\r\n0\r\n\r\n"},
      {"HexPrefix", "0x1\r\nx\r\n0\r\n\r\n"},
      {"Sign", "+1\r\nx\r\n0\r\n\r\n"},
      {"MinusSign", "-1\r\nx\r\n0\r\n\r\n"},
      {"Underscore", "1_0\r\nx\r\n0\r\n\r\n"},
      {"LeadingSpace", " 1\r\nx\r\n0\r\n\r\n"},
      {"TrailingSpace", "1 \r\nx\r\n0\r\n\r\n"},
      {"TrailingTab", "1\t\r\nx\r\n0\r\n\r\n"},
      {"SpaceBeforeExtension", "1 ;a\r\nx\r\n0\r\n\r\n"},
      {"EmptySize", "\r\nx\r\n0\r\n\r\n"},
      {"OnlyExtension", ";a\r\nx\r\n0\r\n\r\n"},
      {"NoHexDigit", "g\r\nx\r\n0\r\n\r\n"},
      {"WideDigit", "\xef\xbc\x91\r\nx\r\n0\r\n\r\n"},
      {"CrBehindSizeAlone", "1\rx\r\n0\r\n\r\n"},
      {"CrAndAnotherByteBehindSize", "1\rZx\r\n0\r\n\r\n"},
      {"AnotherByteAndLfBehindData", "1\r\nxZ\n0\r\n\r\n"},
      {"CrAndAnotherByteBehindData", "1\r\nx\rZ0\r\n\r\n"},
      {"TwoCrs", "1\r\r\nx\r\n0\r\n\r\n"},
      {"CrBehindDataAlone", "1\r\nx\r0\r\n\r\n"},
      {"TrailerWithoutColon", "0\r\nT\r\n\r\n"},
      {"TrailerWithoutName", "0\r\n: 1\r\n\r\n"},
      {"TrailerWithBlankBeforeColon", "0\r\nT : 1\r\n\r\n"},
      {"TrailerFolded", "0\r\nT: 1\r\n 2\r\n\r\n"},
      {"TrailerWithControl", "0\r\nT: \x01\r\n\r\n"},
      {"TrailerWithNul", "0\r\nT: \0\r\n\r\n"s},
      {"TrailerWithBareCr", "0\r\nT: a\rb\r\n\r\n"},
      {"TrailerNameOfObsText", "0\r\n\xe9: 1\r\n\r\n"},
      {"TrailerThatIsARequest", "0\r\nGET /admin HTTP/1.1\r\n\r\n"},
      {"SeventeenTrailers", "0\r\n" + fields(17, "T: 1\r\n") + "\r\n"},
      {"TrailersOverTheBrim", "0\r\nT: " + std::string(4096 - 6, 't') + "\r\n\r\n"},
      {"TrailersWithoutEnd", "0\r\nT: " + std::string(30'000, 't')},
      {"CrForTheEndAlone", "0\r\n\rX"},
      {"PlainText", "hello"},
  };
}

class ChunkTable : public ::testing::TestWithParam<Body> {
 protected:
  static Filtered expected(ChunkFraming framing) {
    const Filtered result = whole(framing, GetParam().text);
    EXPECT_EQ(result.verdict, GetParam().verdict);
    if (GetParam().verdict == Verdict::done) {
      EXPECT_EQ(result.consumed, GetParam().text.size() - GetParam().beyond);
      EXPECT_EQ(result.data, GetParam().data.size());
    }
    return result;
  }

  // A flaw is found wherever the pieces end; what went out before it is the start of what would have gone out.
  static void expect_same(const Filtered& split, const Filtered& at_once, std::string_view all_of_it) {
    ASSERT_EQ(split.verdict, at_once.verdict);
    if (at_once.verdict == Verdict::flawed) {
      EXPECT_EQ(split.output, all_of_it.substr(0, split.output.size()));
      return;
    }
    EXPECT_EQ(split.output, at_once.output);
    EXPECT_EQ(split.consumed, at_once.consumed);
    EXPECT_EQ(split.data, at_once.data);
  }
};

TEST_P(ChunkTable, ComesOutAsChunksOfTheSameData) {
  const Filtered result = expected(ChunkFraming::keep);
  if (GetParam().verdict == Verdict::done) {
    EXPECT_EQ(canonical_data(result.output), GetParam().data);
  }
}

TEST_P(ChunkTable, ComesOutAsTheDataAlone) {
  const Filtered result = expected(ChunkFraming::strip);
  if (GetParam().verdict == Verdict::done) {
    EXPECT_EQ(result.output, GetParam().data);
  }
}

TEST_P(ChunkTable, IsTheSameHoweverItIsSplit) {
  const std::string& text = GetParam().text;
  for (const auto framing : {ChunkFraming::keep, ChunkFraming::keep_trailers, ChunkFraming::strip}) {
    const Filtered at_once = whole(framing, text);
    const Filtered bytes = filter(framing, text, byte_by_byte(text.size()));
    if (at_once.verdict == Verdict::flawed) {
      EXPECT_EQ(bytes.verdict, Verdict::flawed);
    } else {
      expect_same(bytes, at_once, {});
    }
    const std::size_t stride = text.size() > 1000 ? 97 : 1;
    for (std::size_t split = 0; split <= text.size(); split += stride) {
      expect_same(filter(framing, text, {split, text.size()}), at_once, bytes.output);
    }
  }
}

std::string name_of(const ::testing::TestParamInfo<Body>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Good, ChunkTable, ::testing::ValuesIn(good_bodies()), name_of);
INSTANTIATE_TEST_SUITE_P(Bad, ChunkTable, ::testing::ValuesIn(bad_bodies()), name_of);

TEST(ChunkFilter, WaitsForTheRestOfAGoodBody) {
  for (const auto& body : good_bodies()) {
    const std::size_t own = body.text.size() - body.beyond;
    const std::size_t stride = own > 1000 ? 97 : 1;
    for (std::size_t size = 0; size < own; size += stride) {
      EXPECT_EQ(whole(ChunkFraming::keep, body.text.substr(0, size)).verdict, Verdict::more)
          << body.name << ' ' << size;
    }
  }
}

TEST(ChunkFilter, M13_LeavesExtensionsAndTrailersOut) {
  EXPECT_EQ(whole(ChunkFraming::keep, "3;a=\"b\"\r\nabc\r\n0;c\r\nX-Org-Id: evil\r\n\r\n").output,
            "3\r\nabc\r\n0\r\n\r\n");
}

TEST(ChunkFilter, M13_KeepsTrailersThatMayStandThereWhereTheyAreAskedFor) {
  const auto kept = [](const std::string& trailers) {
    const std::string text = "1;a\r\nx\r\n0\r\n" + trailers + "\r\n";
    const std::string output = whole(ChunkFraming::keep_trailers, text).output;
    EXPECT_TRUE(output.starts_with("1\r\nx\r\n0\r\n")) << output;
    return output.substr(std::string("1\r\nx\r\n0\r\n").size());
  };
  EXPECT_EQ(kept(""), "\r\n");
  EXPECT_EQ(kept("Server-Timing: a;dur=1\r\ngrpc-status:0\r\nX-E:\r\n"),
            "Server-Timing: a;dur=1\r\ngrpc-status:0\r\nX-E:\r\n\r\n");
  EXPECT_EQ(kept("Digest: a\r\nSET-COOKIE: evil\r\nX-B: b\r\n"), "Digest: a\r\nX-B: b\r\n\r\n");
  for (const char* name :
       {"Content-Length", "transfer-encoding", "Host", "Connection", "Trailer", "Set-Cookie", "Location",
        "Cache-Control", "WWW-Authenticate", "Access-Control-Allow-Origin", "Content-Type"}) {
    EXPECT_EQ(kept(std::string(name) + ": 1\r\n"), "\r\n") << name;
  }
}

TEST(ChunkFilter, R06_NeverEndsABrokenBody) {
  for (const auto& body : bad_bodies()) {
    const Filtered result = filter(ChunkFraming::keep, body.text, byte_by_byte(body.text.size()));
    EXPECT_FALSE(result.output.ends_with("0\r\n\r\n")) << body.name;
  }
}

// What came before the flaw is not sent, so it is not counted either.
TEST(ChunkFilter, ReportsNothingOfAFlawedStep) {
  ChunkFilter chunks;
  std::string text = "5\r\nhello!\r\n0\r\n\r\n";
  const auto step = chunks.feed(text);
  EXPECT_TRUE(step.is_flawed);
  EXPECT_FALSE(step.is_done);
  EXPECT_EQ(step.consumed, 0U);
  EXPECT_EQ(step.produced, 0U);
  EXPECT_EQ(step.data, 0U);
}

TEST(ChunkFilter, StaysFlawed) {
  ChunkFilter chunks;
  std::string bad = "x";
  ASSERT_TRUE(chunks.feed(bad).is_flawed);
  std::string good = "0\r\n\r\n";
  EXPECT_TRUE(chunks.feed(good).is_flawed);
}

TEST(ChunkFilter, StaysDone) {
  ChunkFilter chunks;
  std::string body = "0\r\n\r\n";
  ASSERT_TRUE(chunks.feed(body).is_done);
  std::string next = "GET / HTTP/1.1\r\n";
  const auto step = chunks.feed(next);
  EXPECT_TRUE(step.is_done);
  EXPECT_EQ(step.consumed + step.produced, 0U);
}

TEST(ChunkFilter, TakesNothingForNothing) {
  ChunkFilter chunks;
  const auto step = chunks.feed({});
  EXPECT_FALSE(step.is_done || step.is_flawed);
  EXPECT_EQ(step.consumed + step.produced, 0U);
}

TEST(ChunkFilter, PassesAChunkOfAGigabyteWithoutHoldingIt) {
  ChunkFilter chunks;
  std::string line = "40000000\r\n";
  EXPECT_EQ(chunks.feed(line).produced, line.size());
  std::vector<char> piece(1U << 20U, 'x');
  for (int i = 0; i < 1024; ++i) {
    const auto step = chunks.feed(piece);
    ASSERT_EQ(step.produced, piece.size());
    ASSERT_EQ(step.data, piece.size());
  }
  std::string end = "\r\n0\r\n\r\n";
  EXPECT_TRUE(chunks.feed(end).is_done);
}

// --- Properties
// ---------------------------------------------------------------------------------------------------------------

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t end) {
  return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
}

std::string random_body(Random& random, std::string& data) {
  static constexpr std::string_view bytes = "\r\n0123456789abcdef;:x\"";
  std::string text;
  for (std::size_t chunks = below(random, 4); chunks > 0; --chunks) {
    std::string part(1 + below(random, 20), 'x');
    for (char& c : part) c = bytes[below(random, bytes.size())];
    const std::string hex = part.size() < 16 ? std::string(1, "0123456789ABCDEF"[part.size()])
                                             : "1" + std::string(1, "0123456789abcdef"[part.size() - 16]);
    text += std::string(below(random, 3), '0') + hex + (below(random, 3) == 0 ? ";ext=\"a;b\"" : "") + "\r\n" + part +
            "\r\n";
    data += part;
  }
  text += below(random, 4) == 0 ? "00;last\r\n" : "0\r\n";
  for (std::size_t trailers = below(random, 3); trailers > 0; --trailers) text += "X-Org-Id: evil\r\n";
  return text + "\r\n";
}

std::vector<std::size_t> random_ends(Random& random, std::size_t size) {
  std::vector<std::size_t> ends;
  for (std::size_t i = below(random, 5); i > 0; --i) ends.push_back(below(random, size + 1));
  ends.push_back(size);
  std::sort(ends.begin(), ends.end());
  return ends;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int rounds = 5'000;
#else
constexpr int rounds = 50'000;
#endif

TEST(ChunkProperty, AGoodBodyGivesItsDataInBothForms) {
  Random random(20'250'613);
  for (int i = 0; i < rounds; ++i) {
    std::string data;
    const std::string text = random_body(random, data);
    const auto ends = random_ends(random, text.size());
    const Filtered kept = filter(ChunkFraming::keep, text, ends);
    const Filtered stripped = filter(ChunkFraming::strip, text, ends);
    ASSERT_EQ(kept.verdict, Verdict::done) << text;
    ASSERT_EQ(canonical_data(kept.output), data) << text;
    ASSERT_EQ(stripped.output, data) << text;
    const Filtered again = whole(ChunkFraming::keep, kept.output);
    ASSERT_EQ(again.verdict, Verdict::done);
    ASSERT_EQ(again.output, kept.output) << "what comes out has one form";
  }
}

TEST(ChunkProperty, ABrokenBodyIsJudgedTheSameHoweverItIsSplit) {
  static constexpr std::string_view spicy = "\r\n;0 1fF\tx:\"\x80\x7f";
  Random random(20'250'614);
  int flawed = 0;
  for (int i = 0; i < rounds; ++i) {
    std::string data;
    std::string text = random_body(random, data);
    for (std::size_t edits = 1 + below(random, 2); edits > 0; --edits) {
      const std::size_t at = below(random, text.size());
      if (below(random, 2) == 0) {
        text[at] = spicy[below(random, spicy.size())];
      } else {
        text.erase(at, 1);
      }
    }
    if (text.empty()) continue;
    const Filtered at_once = whole(ChunkFraming::keep, text);
    const Filtered split = filter(ChunkFraming::keep, text, random_ends(random, text.size()));
    const Filtered stripped = filter(ChunkFraming::strip, text, random_ends(random, text.size()));
    ASSERT_EQ(split.verdict, at_once.verdict) << ::testing::PrintToString(text);
    ASSERT_EQ(stripped.verdict, at_once.verdict) << ::testing::PrintToString(text);
    flawed += at_once.verdict == Verdict::flawed ? 1 : 0;
    if (at_once.verdict == Verdict::done) {
      ASSERT_EQ(split.output, at_once.output);
      ASSERT_EQ(canonical_data(at_once.output), stripped.output) << ::testing::PrintToString(text);
    }
  }
  EXPECT_GT(flawed, rounds / 10);
}

}  // namespace
}  // namespace keygate::proxy
