#include "proxy/framing.hpp"

#include "tests/unit/proxy/heads.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::proxy {

void PrintTo(HeadFlaw flaw, std::ostream* out) { *out << to_string(flaw); }

namespace {

using testing::get_with;
using testing::request_line;
using namespace std::literals;

std::optional<HeadFlaw> gate_flaw(const std::string& head, const HeadLimits& limits = {}) {
  return pass_request_gate(head, limits).flaw;
}

std::size_t whole_head_size(std::string_view bytes) {
  std::size_t searched = 0;
  return head_size(bytes, searched);
}

// --- The matrix of heads that some parser lets through and the gate does not
// ----------------------------------------------

struct Refused {
  std::string name;
  std::string head;
  HeadFlaw flaw;
};

void PrintTo(const Refused& row, std::ostream* out) { *out << ::testing::PrintToString(row.head); }

std::string name_of(const ::testing::TestParamInfo<Refused>& info) { return info.param.name; }

const std::vector<Refused>& refused_requests() {
  static const std::vector<Refused> rows = {
      {"M01_SpaceBeforeColon", get_with("Content-Length : 5\r\n"), HeadFlaw::field_line},
      {"M01_TabBeforeColon", get_with("Content-Length\t: 5\r\n"), HeadFlaw::field_line},
      {"M02_Fold", get_with("X-A: 1\r\n 2\r\n"), HeadFlaw::folded},
      {"M02_FoldByTab", get_with("X-A: 1\r\n\t2\r\n"), HeadFlaw::folded},
      {"M02_FoldedTransferEncoding", get_with("Transfer-Encoding:\r\n chunked\r\n"), HeadFlaw::folded},
      {"M02_FoldOfNothingButBlanks", get_with("X-A: 1\r\n \r\n"), HeadFlaw::folded},
      {"M03_BlankBeforeFirstField", "GET / HTTP/1.1\r\n X: 1\r\nHost: a\r\n\r\n", HeadFlaw::folded},
      {"M03_BareCrInValue", get_with("X: a\rb\r\n"), HeadFlaw::line_end},
      {"M03_CrBeforeCrlf", get_with("X: a\r\r\n"), HeadFlaw::line_end},
      {"M03_ThirdLeadingBlankLine", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", HeadFlaw::start_line},
      {"BareLfEverywhere", "GET / HTTP/1.1\nHost: a\n\n", HeadFlaw::line_end},
      {"BareLfBehindRequestLine", "GET / HTTP/1.1\nHost: a\r\n\r\n", HeadFlaw::line_end},
      {"BareLfBehindField", "GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n", HeadFlaw::line_end},
      {"BareLfForTheEmptyLine", "GET / HTTP/1.1\r\nHost: a\r\n\n", HeadFlaw::line_end},
      {"BareLfBehindTheLastField", "GET / HTTP/1.1\r\nHost: a\n\r\n", HeadFlaw::line_end},
      {"BareLfInName", get_with("X\nY: 1\r\n"), HeadFlaw::line_end},
      {"BareCrInName", get_with("X\rY: 1\r\n"), HeadFlaw::line_end},
      {"BareCrInTarget", request_line("GET /a\rb HTTP/1.1"), HeadFlaw::line_end},
      {"BareCrInMethod", request_line("GE\rT / HTTP/1.1"), HeadFlaw::line_end},
      {"NulInValue", get_with("X: a\0b\r\n"s), HeadFlaw::value_byte},
      {"ControlInValue",
       get_with("X: a\x01"
                "b\r\n"),
       HeadFlaw::value_byte},
      {"DelInValue", get_with("X: a\x7f\r\n"), HeadFlaw::value_byte},
      {"EscapeInValue", get_with("X: \x1b[2J\r\n"), HeadFlaw::value_byte},
      {"EmptyName", get_with(": x\r\n"), HeadFlaw::field_line},
      {"NoColon", get_with("NoColon\r\n"), HeadFlaw::field_line},
      {"NoColonAtAll", "GET / HTTP/1.1\r\nX\r\n\r\n", HeadFlaw::field_line},
      {"ObsTextInName", get_with("X-\xe9: 1\r\n"), HeadFlaw::field_line},
      {"SpaceInName", get_with("X A: 1\r\n"), HeadFlaw::field_line},
      {"NulInName", get_with("X\0: 1\r\n"s), HeadFlaw::field_line},
      {"ColonLessSecondRequest", get_with("GET /admin HTTP/1.1\r\n"), HeadFlaw::field_line},
      {"P07_FragmentInTarget", request_line("GET /admin#/public HTTP/1.1"), HeadFlaw::target_byte},
      {"P14_RawUtf8InTarget", request_line("GET /\xc3\xa9 HTTP/1.1"), HeadFlaw::target_byte},
      {"ByteFfInTarget", request_line("GET /\xff HTTP/1.1"), HeadFlaw::target_byte},
      {"P14_NulInTarget", request_line("GET /a\0b HTTP/1.1"s), HeadFlaw::target_byte},
      {"P14_ControlInTarget", request_line("GET /a\x01 HTTP/1.1"), HeadFlaw::target_byte},
      {"P14_DelInTarget", request_line("GET /a\x7f HTTP/1.1"), HeadFlaw::target_byte},
      {"P06_BackslashInTarget", request_line("GET /public\\..\\admin HTTP/1.1"), HeadFlaw::backslash},
      {"M06_SpaceInTarget", request_line("GET /a b HTTP/1.1"), HeadFlaw::start_line},
      {"P14_SpaceAndNulInTarget", request_line("GET /public \0/admin HTTP/1.1"s), HeadFlaw::start_line},
      {"TabInTarget", request_line("GET /a\tb HTTP/1.1"), HeadFlaw::target_byte},
      {"TwoSpacesBeforeTarget", request_line("GET  / HTTP/1.1"), HeadFlaw::start_line},
      {"TwoSpacesBeforeVersion", request_line("GET /  HTTP/1.1"), HeadFlaw::start_line},
      {"TabForSpace", request_line("GET\t/ HTTP/1.1"), HeadFlaw::start_line},
      {"LeadingSpace", request_line(" GET / HTTP/1.1"), HeadFlaw::start_line},
      {"TrailingSpace", request_line("GET / HTTP/1.1 "), HeadFlaw::start_line},
      {"NoTarget", request_line("GET HTTP/1.1"), HeadFlaw::start_line},
      {"NoVersion", request_line("GET /"), HeadFlaw::start_line},
      {"OnlyMethod", request_line("GET"), HeadFlaw::start_line},
      {"EmptyRequestLine", "\r\n\r\n", HeadFlaw::start_line},
      {"MethodWithSeparator", request_line("G@T / HTTP/1.1"), HeadFlaw::start_line},
      {"LowerCaseProtocol", request_line("GET / http/1.1"), HeadFlaw::start_line},
      {"OtherProtocol", request_line("GET / HTTPS/1.1"), HeadFlaw::start_line},
      {"TwoDigitMinor", request_line("GET / HTTP/1.10"), HeadFlaw::start_line},
      {"TwoDigitMajor", request_line("GET / HTTP/11.1"), HeadFlaw::start_line},
      {"CommaForDot", request_line("GET / HTTP/1,1"), HeadFlaw::start_line},
      {"Version12", request_line("GET / HTTP/1.2"), HeadFlaw::version},
      {"Version20", request_line("GET / HTTP/2.0"), HeadFlaw::version},
      {"Version09", request_line("GET / HTTP/0.9"), HeadFlaw::version},
      {"PrefaceOfHttp2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HeadFlaw::version},
      {"TlsHello", "\x16\x03\x01\x02\x00\r\n\r\n"s, HeadFlaw::start_line},
  };
  return rows;
}

class RequestGate : public ::testing::TestWithParam<Refused> {};

TEST_P(RequestGate, Refuses) {
  const std::string& bytes = GetParam().head;
  const std::size_t size = whole_head_size(bytes);
  ASSERT_GT(size, 0U) << "never waited for: head_size sees that it has ended";
  EXPECT_EQ(gate_flaw(bytes.substr(0, size)), GetParam().flaw);
}

INSTANTIATE_TEST_SUITE_P(Matrix, RequestGate, ::testing::ValuesIn(refused_requests()), name_of);

TEST(RequestGate, PassesWhatIsOnlyUnusual) {
  for (const std::string& head : {
           request_line("GET / HTTP/1.1"),
           request_line("GET / HTTP/1.0"),
           request_line("get / HTTP/1.1"),
           request_line("M-SEARCH * HTTP/1.1"),
           request_line("!#$%&'*+-.^_`|~09azAZ / HTTP/1.1"),
           request_line("GET /%zz%00 HTTP/1.1"),  // for the path's own judge
           request_line("GET /;a=b?c=[1]&d=@:!$'()*+, HTTP/1.1"),
           "GET / HTTP/1.1\r\n\r\n"s,
           get_with("X:\r\n"),
           get_with("X: \t \r\n"),
           get_with("X:\t1\t\r\n"),
           get_with("X: \x80\xff\r\n"),
           get_with("X: a:b: c\r\n"),
           get_with("!#$%&'*+-.^_`|~09azAZ: 1\r\n"),
       }) {
    EXPECT_EQ(gate_flaw(head), std::nullopt) << head;
  }
}

TEST(RequestGate, SaysWhatItRead) {
  const std::string head = "PATCH /a?b HTTP/1.0\r\nHost: a\r\nX: 1\r\nX: 2\r\n\r\n";
  const GateResult result = pass_request_gate(head, {});
  ASSERT_FALSE(result.flaw);
  EXPECT_EQ(result.line.method, "PATCH");
  EXPECT_EQ(result.line.target, "/a?b");
  EXPECT_EQ(result.line.minor_version, 0);
  EXPECT_EQ(result.fields, 3U);
}

// --- Every byte value
// ------------------------------------------------------------------------------------------------------

bool is_one_of(unsigned char c, std::string_view set) { return set.find(static_cast<char>(c)) != set.npos; }
bool is_alphanumeric(unsigned char c) {
  return is_one_of(c, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

class EveryByte : public ::testing::Test {
 protected:
  template <class Allowed>
  static void expect(const std::string& before, const std::string& after, Allowed is_allowed) {
    for (unsigned value = 0; value < 256; ++value) {
      const auto c = static_cast<unsigned char>(value);
      const std::string bytes = before + static_cast<char>(c) + after;
      const bool is_let_through = !gate_flaw(bytes.substr(0, whole_head_size(bytes)));
      EXPECT_EQ(is_let_through, is_allowed(c)) << "byte " << value;
    }
  }
};

TEST_F(EveryByte, OfANameIsATokenCharacter) {
  // A colon ends the name; what stands behind it is a value.
  expect("GET / HTTP/1.1\r\nA", "B: 1\r\n\r\n",
         [](unsigned char c) { return is_alphanumeric(c) || is_one_of(c, "!#$%&'*+-.^_`|~") || c == ':'; });
}

TEST_F(EveryByte, OfAValueIsNoControlButTab) {
  expect("GET / HTTP/1.1\r\nA: x", "y\r\n\r\n", [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); });
}

TEST_F(EveryByte, OfATargetMayStandInAUrl) {
  expect("GET /a", "b HTTP/1.1\r\nHost: a\r\n\r\n",
         [](unsigned char c) { return is_alphanumeric(c) || is_one_of(c, "-._~:/?[]@!$&'()*+,;=%"); });
}

TEST_F(EveryByte, OfAMethodIsATokenCharacter) {
  expect("GE", "T / HTTP/1.1\r\n\r\n",
         [](unsigned char c) { return is_alphanumeric(c) || is_one_of(c, "!#$%&'*+-.^_`|~"); });
}

TEST_F(EveryByte, OfAVersionIsTheOneThatBelongsThere) {
  expect("GET / HTTP/1", "1\r\n\r\n", [](unsigned char c) { return c == '.'; });
  expect("GET / HTTP/1.", "\r\n\r\n", [](unsigned char c) { return c == '0' || c == '1'; });
  expect("GET / HTTP/", ".1\r\n\r\n", [](unsigned char c) { return c == '1'; });
  expect("GET / HTTP/1.1", "\n\r\n", [](unsigned char c) { return c == '\r'; });
}

// --- Limits
// ----------------------------------------------------------------------------------------------------------------

TEST(RequestGate, M07_LimitsTheTarget) {
  const HeadLimits limits{.target_bytes = 100};
  EXPECT_EQ(gate_flaw(request_line("GET /" + std::string(99, 'a') + " HTTP/1.1"), limits), std::nullopt);
  EXPECT_EQ(gate_flaw(request_line("GET /" + std::string(100, 'a') + " HTTP/1.1"), limits), HeadFlaw::target_too_long);
}

TEST(RequestGate, M07_LimitsTheNumberOfFields) {
  const HeadLimits limits{.field_count = 3};
  EXPECT_EQ(gate_flaw(get_with("A: 1\r\nB: 2\r\n"), limits), std::nullopt);
  EXPECT_EQ(gate_flaw(get_with("A: 1\r\nB: 2\r\nC: 3\r\n"), limits), HeadFlaw::too_many_fields);
}

TEST(RequestGate, M07_RefusesTheHundredAndFirstField) {
  std::string fields;
  for (int i = 1; i < 100; ++i) fields += "X: 1\r\n";
  EXPECT_EQ(gate_flaw(get_with(fields)), std::nullopt);
  EXPECT_EQ(gate_flaw(get_with(fields + "X: 1\r\n")), HeadFlaw::too_many_fields);
}

TEST(RequestGate, M07_LimitsANameAndALine) {
  EXPECT_EQ(gate_flaw(get_with(std::string(256, 'n') + ": 1\r\n")), std::nullopt);
  EXPECT_EQ(gate_flaw(get_with(std::string(257, 'n') + ": 1\r\n")), HeadFlaw::field_too_long);
  EXPECT_EQ(gate_flaw(get_with("X: " + std::string(8192 - 3, 'v') + "\r\n")), std::nullopt);
  EXPECT_EQ(gate_flaw(get_with("X: " + std::string(8192 - 2, 'v') + "\r\n")), HeadFlaw::field_too_long);
}

// --- Where a head ends
// -----------------------------------------------------------------------------------------------------

TEST(HeadSize, EndsWithTheEmptyLine) {
  const std::string head = get_with("X: 1\r\n");
  EXPECT_EQ(whole_head_size(head), head.size());
  EXPECT_EQ(whole_head_size(head + "GET /admin HTTP/1.1\r\n\r\n"), head.size());
  for (std::size_t size = 0; size < head.size(); ++size) EXPECT_EQ(whole_head_size(head.substr(0, size)), 0U) << size;
}

TEST(HeadSize, OfNothingIsNothing) {
  EXPECT_EQ(whole_head_size(std::string_view()), 0U);
  std::size_t searched = 0;
  EXPECT_EQ(head_size({}, searched), 0U);
  EXPECT_EQ(searched, 0U);
}

TEST(HeadSize, CountsABareLfAsALineEnd) {
  EXPECT_EQ(whole_head_size("GET / HTTP/1.1\n\nX"), 16U);
  EXPECT_EQ(whole_head_size("GET / HTTP/1.1\r\n\nX"), 17U);
  EXPECT_EQ(whole_head_size("GET / HTTP/1.1\n\r\nX"), 17U);
}

std::vector<std::string> heads_of_all_kinds() {
  std::vector<std::string> heads = {
      get_with("X: 1\r\n"),    get_with("") + "body", "\n\n", "\r\n\r\n", "\n\r\n", "\r\r\n\n\r",
      "a\nb\r\nc\r\n\r\n\r\n", "a\r\n\rb\r\n\n\n"};
  for (const auto& row : refused_requests()) heads.push_back(row.head);
  return heads;
}

// Feeds `text` up to each of `ends` in turn, as a session does; where it says that the head ends.
std::size_t size_in_steps(std::string_view text, const std::vector<std::size_t>& ends) {
  std::size_t searched = 0;
  for (const std::size_t end : ends) {
    if (const std::size_t size = head_size(text.substr(0, end), searched); size > 0) return size;
  }
  return 0;
}

TEST(HeadSize, IsTheSameByteByByte) {
  for (const auto& head : heads_of_all_kinds()) {
    std::vector<std::size_t> ends;
    for (std::size_t end = 1; end <= head.size(); ++end) ends.push_back(end);
    EXPECT_EQ(size_in_steps(head, ends), whole_head_size(head)) << ::testing::PrintToString(head);
  }
}

TEST(HeadSize, IsTheSameHoweverItIsSplit) {
  for (const auto& head : heads_of_all_kinds()) {
    const std::size_t whole = whole_head_size(head);
    for (std::size_t first = 0; first <= head.size(); ++first) {
      for (std::size_t second = first; second <= std::min(first + 4, head.size()); ++second) {
        EXPECT_EQ(size_in_steps(head, {first, second, head.size()}), whole) << first << ' ' << second;
      }
    }
  }
}

TEST(LeadingBlank, IsAtMostTwoLineEnds) {
  EXPECT_EQ(leading_blank_size(""), 0U);
  EXPECT_EQ(leading_blank_size("GET"), 0U);
  EXPECT_EQ(leading_blank_size("\r\nGET"), 2U);
  EXPECT_EQ(leading_blank_size("\r\n\r\nGET"), 4U);
  EXPECT_EQ(leading_blank_size("\r\n\r\n\r\nGET"), 4U);
  EXPECT_EQ(leading_blank_size("\n\nGET"), 0U);
  EXPECT_EQ(leading_blank_size("\r"), 0U);
  EXPECT_EQ(leading_blank_size(" \r\nGET"), 0U);
}

TEST(LeadingBlank, IsAtMostTwoLineEndsInAll) {
  EXPECT_EQ(leading_blank_size("\r\n\r\nGET", 2), 2U);
  EXPECT_EQ(leading_blank_size("\r\nGET", 4), 0U);
}

// --- Responses
// -------------------------------------------------------------------------------------------------------------

class ResponseGate : public ::testing::TestWithParam<Refused> {};

TEST_P(ResponseGate, Refuses) { EXPECT_EQ(response_flaw(GetParam().head, 200), GetParam().flaw); }

const Refused refused_responses[] = {
    {"Garbage", "<html>hello there</html>\r\n\r\n", HeadFlaw::start_line},
    {"Empty", "\r\n\r\n", HeadFlaw::start_line},
    {"Version20", "HTTP/2.0 200 OK\r\n\r\n", HeadFlaw::start_line},
    {"Version12", "HTTP/1.2 200 OK\r\n\r\n", HeadFlaw::start_line},
    {"LowerCase", "http/1.1 200 OK\r\n\r\n", HeadFlaw::start_line},
    {"NoStatus", "HTTP/1.1\r\nX: 1234567\r\n\r\n", HeadFlaw::start_line},
    {"TwoDigits", "HTTP/1.1 20 OK\r\n\r\n", HeadFlaw::start_line},
    {"FourDigits", "HTTP/1.1 2000 OK\r\n\r\n", HeadFlaw::start_line},
    {"SignedStatus", "HTTP/1.1 +20 OK\r\n\r\n", HeadFlaw::start_line},
    {"TwoSpaces", "HTTP/1.1  200 OK\r\n\r\n", HeadFlaw::start_line},
    {"ControlInReason", "HTTP/1.1 200 O\x01K\r\n\r\n", HeadFlaw::start_line},
    {"BareLf", "HTTP/1.1 200 OK\n\n", HeadFlaw::line_end},
    {"BareCrInReason", "HTTP/1.1 200 O\rK\r\n\r\n", HeadFlaw::line_end},
    {"BareLfBehindField", "HTTP/1.1 200 OK\r\nX: 1\nY: 2\r\n\r\n", HeadFlaw::line_end},
    {"M02_Fold", "HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\n\r\n", HeadFlaw::folded},
    {"M01_SpaceBeforeColon", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n", HeadFlaw::field_line},
    {"NulInValue", "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"s, HeadFlaw::value_byte},
    {"LongLine", "HTTP/1.1 200 OK\r\nX: " + std::string(8190, 'x') + "\r\n\r\n", HeadFlaw::field_too_long},
};

INSTANTIATE_TEST_SUITE_P(Matrix, ResponseGate, ::testing::ValuesIn(refused_responses), name_of);

TEST(ResponseGate, PassesStatusLinesWithAndWithoutAReason) {
  for (const auto* head : {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 404 Not Found at all\r\nX: 1\r\n\r\n",
                           "HTTP/1.1 200 \r\n\r\n", "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 \xc3\xa9\t!\r\n\r\n"}) {
    EXPECT_EQ(response_flaw(head, 200), std::nullopt) << head;
  }
}

TEST(ResponseGate, LimitsTheNumberOfFields) {
  EXPECT_EQ(response_flaw("HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\r\n", 2), std::nullopt);
  EXPECT_EQ(response_flaw("HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", 2), HeadFlaw::too_many_fields);
}

TEST(ResponseGate, KnowsEarlyWhatCannotBecomeAResponse) {
  for (const auto* bytes : {"", "H", "HTTP/1", "HTTP/1.", "HTTP/1.1 200 OK", "HTTP/1.9"}) {
    EXPECT_FALSE(is_no_response(bytes)) << bytes;
  }
  for (const auto* bytes : {"SSH-2.0-x", "h", "HTTP/2", "<", "\r\n", "HTTQ", " HTTP/1.1"}) {
    EXPECT_TRUE(is_no_response(bytes)) << bytes;
  }
}

// Values are looked at in blocks: what may not stand in one is seen wherever it stands, and nothing else is.
TEST(ResponseGate, SeesEveryByteOfALongValue) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    if (c == '\r' || c == '\n') continue;
    const bool is_fit = byte >= 0x20 ? byte != 0x7f : c == '\t';
    for (std::size_t at = 0; at < 40; ++at) {
      std::string value(40, 'v');
      value[at] = c;
      const auto flaw = response_flaw("HTTP/1.1 200 OK\r\nX: " + value + "\r\n\r\n", 200);
      ASSERT_EQ(flaw, is_fit ? std::nullopt : std::optional(HeadFlaw::value_byte)) << byte << " at " << at;
    }
  }
}

// A head that is cut off anywhere, or holds anything, is read without touching what is not its own.
TEST(ResponseGate, StaysWithinTheBytesOfTheHead) {
  const std::string whole = "HTTP/1.1 200 OK\r\nX: 1\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<char> exact(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(response_flaw({exact.data(), exact.size()}, 200), std::nullopt) << size;
  }
}

TEST(RequestGate, StaysWithinTheBytesOfTheHead) {
  const std::string whole = get_with("X: 1\r\n");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<char> exact(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(pass_request_gate({exact.data(), exact.size()}, {}).flaw, std::nullopt) << size;
  }
}

TEST(HeadFlaw, EachHasASentenceOfItsOwn) {
  std::vector<std::string_view> sentences;
  for (const auto flaw : {HeadFlaw::line_end, HeadFlaw::start_line, HeadFlaw::version, HeadFlaw::target_byte,
                          HeadFlaw::backslash, HeadFlaw::field_line, HeadFlaw::folded, HeadFlaw::value_byte,
                          HeadFlaw::target_too_long, HeadFlaw::field_too_long, HeadFlaw::too_many_fields}) {
    const auto sentence = to_string(flaw);
    EXPECT_FALSE(sentence.empty());
    EXPECT_EQ(std::ranges::count(sentences, sentence), 0);
    sentences.push_back(sentence);
  }
}

}  // namespace
}  // namespace keygate::proxy
