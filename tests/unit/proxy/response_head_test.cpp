#include "proxy/response_head.hpp"

#include "tests/unit/proxy/responses.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace keygate::proxy {

void PrintTo(BodyFraming framing, std::ostream* out) {
  static constexpr const char* names[] = {"none", "length", "chunked", "until_close"};
  *out << names[static_cast<std::size_t>(framing)];
}

namespace {

using policy::Method;
using testing::response_with;
using testing::ResponseText;
using namespace std::literals;

// --- What is a 502
// ------------------------------------------------------------------------------------------------------------

struct Row {
  std::string name;
  std::string head;
};

void PrintTo(const Row& row, std::ostream* out) { *out << ::testing::PrintToString(row.head); }

class ResponseMatrix : public ::testing::TestWithParam<Row> {};

TEST_P(ResponseMatrix, IsRefused) {
  EXPECT_TRUE(ResponseText(GetParam().head).flaw());
  EXPECT_TRUE(ResponseText(GetParam().head, Method::head).flaw()) << "HEAD makes no difference";
}

const Row refused[] = {
    {"LengthAndChunked", response_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")},
    {"ChunkedAndLength", response_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")},
    {"LengthTwiceAlike", response_with("Content-Length: 5\r\nContent-Length: 5\r\n")},
    {"LengthTwiceDifferent", response_with("Content-Length: 5\r\nContent-Length: 6\r\n")},
    {"LengthTwiceInOneLine", response_with("Content-Length: 5, 5\r\n")},
    {"M10_LengthWithRest", response_with("Content-Length: 5x\r\n")},
    {"M10_LengthWithSign", response_with("Content-Length: +5\r\n")},
    {"M10_NegativeLength", response_with("Content-Length: -5\r\n")},
    {"M10_EmptyLength", response_with("Content-Length:\r\n")},
    {"M10_LengthWithZero", response_with("Content-Length: 05\r\n")},
    {"M10_LengthTooLarge", response_with("Content-Length: 18446744073709551616\r\n")},
    {"ConnectionOptionThatIsNoToken", response_with("Connection: close, TE: x\r\n")},
    {"ProxyConnectionThatIsNoToken", response_with("Proxy-Connection: keep alive\r\n")},
    {"Xchunked", response_with("Transfer-Encoding: xchunked\r\n")},
    {"Identity", response_with("Transfer-Encoding: identity\r\n")},
    {"GzipThenChunked", response_with("Transfer-Encoding: gzip, chunked\r\n")},
    {"ChunkedThenGzip", response_with("Transfer-Encoding: chunked, gzip\r\n")},
    {"ChunkedTwice", response_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
    {"M09_ChunkedOnHttp10", response_with("Transfer-Encoding: chunked\r\n", "HTTP/1.0 200 OK")},
    {"M02_Fold", response_with("X: 1\r\n 2\r\n")},
    {"M02_FoldedTransferEncoding", response_with("Transfer-Encoding:\r\n chunked\r\n")},
    {"SpaceBeforeColon", response_with("Content-Length : 5\r\n")},
    {"Status999", response_with("", "HTTP/1.1 999 Odd")},
    {"Status600", response_with("", "HTTP/1.1 600 Odd")},
    {"Status099", response_with("", "HTTP/1.1 099 Odd")},
    {"Status000", response_with("", "HTTP/1.1 000 Odd")},
    {"Http09", "hello world, no head\r\n\r\n"},
    {"Garbage", "\x16\x03\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0b\x0c\x0e\r\n\r\n"},
    {"Request", "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"Version20", response_with("", "HTTP/2.0 200 OK")},
    {"BareLf", "HTTP/1.1 200 OK\nContent-Length: 5\n\n"},
    {"NulInValue", response_with("X: \0\r\n"s)},
    {"NulInReason", response_with("", "HTTP/1.1 200 O\0K"s)},
    {"ControlInName", response_with("X\x01: 1\r\n")},
    {"TwoHundredAndOneFields",
     [] {
       std::string fields;
       for (int i = 0; i < 201; ++i) fields += "X: 1\r\n";
       return response_with(fields);
     }()},
};

INSTANTIATE_TEST_SUITE_P(Upstream, ResponseMatrix, ::testing::ValuesIn(refused),
                         [](const ::testing::TestParamInfo<Row>& row) { return row.param.name; });

TEST(ResponseHead, TakesTwoHundredFields) {
  std::string fields;
  for (int i = 0; i < 200; ++i) fields += "X: 1\r\n";
  const ResponseText read(response_with(fields));
  ASSERT_FALSE(read.flaw());
  EXPECT_EQ(read.head().field_count, 200U);
}

// --- Where the body ends
// ------------------------------------------------------------------------------------------------------

BodyFraming framing_of(const std::string& head, Method method = Method::get) {
  const ResponseText read(head, method);
  EXPECT_FALSE(read.flaw()) << *read.flaw();
  return read.head().framing;
}

TEST(ResponseFraming, IsWhatTheFieldsSay) {
  EXPECT_EQ(framing_of(response_with("Content-Length: 5\r\n")), BodyFraming::length);
  EXPECT_EQ(framing_of(response_with("Content-Length: 0\r\n")), BodyFraming::none);
  EXPECT_EQ(framing_of(response_with("Transfer-Encoding: Chunked\r\n")), BodyFraming::chunked);
  EXPECT_EQ(framing_of(response_with("")), BodyFraming::until_close);
  EXPECT_EQ(framing_of(response_with("", "HTTP/1.0 200 OK")), BodyFraming::until_close);
  EXPECT_EQ(framing_of(response_with("Content-Length: 5\r\n", "HTTP/1.0 200 OK")), BodyFraming::length);
}

TEST(ResponseFraming, N08_NoBodyAnswersHead) {
  EXPECT_EQ(framing_of(response_with("Content-Length: 5\r\n"), Method::head), BodyFraming::none);
  EXPECT_EQ(framing_of(response_with("Transfer-Encoding: chunked\r\n"), Method::head), BodyFraming::none);
  EXPECT_EQ(framing_of(response_with(""), Method::head), BodyFraming::none);
}

TEST(ResponseFraming, N08_NoBodyFollows204And304And1xx) {
  for (const auto* line : {"HTTP/1.1 204 No Content", "HTTP/1.1 304 Not Modified", "HTTP/1.1 100 Continue",
                           "HTTP/1.1 103 Early Hints", "HTTP/1.1 199 Odd"}) {
    for (const auto* fields : {"", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"}) {
      EXPECT_EQ(framing_of(response_with(fields, line)), BodyFraming::none) << line << ' ' << fields;
    }
  }
}

TEST(ResponseHead, KeepsTheLengthWhereItIsOnlySaid) {
  EXPECT_TRUE(ResponseText(response_with("Content-Length: 5\r\n"), Method::head).head().has_content_length);
  EXPECT_TRUE(
      ResponseText(response_with("Content-Length: 5\r\n", "HTTP/1.1 304 Not Modified")).head().has_content_length);
  EXPECT_FALSE(
      ResponseText(response_with("Content-Length: 5\r\n", "HTTP/1.1 204 No Content")).head().has_content_length);
  EXPECT_FALSE(
      ResponseText(response_with("Content-Length: 5\r\n", "HTTP/1.1 103 Early Hints")).head().has_content_length);
}

// --- The status line
// ----------------------------------------------------------------------------------------------------------

TEST(ResponseHead, ReadsTheStatusLine) {
  const ResponseText read("HTTP/1.0 404 Not Found \xc3\xa9\r\nX: 1\r\n\r\n");
  ASSERT_FALSE(read.flaw());
  EXPECT_EQ(read.head().status, 404);
  EXPECT_EQ(read.head().reason, "Not Found \xc3\xa9");
  EXPECT_EQ(read.head().minor_version, 0);
  EXPECT_FALSE(read.head().is_interim());
}

TEST(ResponseHead, TakesAStatusLineWithoutAReason) {
  for (const auto* line : {"HTTP/1.1 201 ", "HTTP/1.1 201"}) {
    const ResponseText read(response_with("Content-Length: 5\r\nX: 1\r\n", line));
    ASSERT_FALSE(read.flaw()) << line << ": " << *read.flaw();
    EXPECT_EQ(read.head().status, 201);
    EXPECT_EQ(read.head().reason, "");
    EXPECT_EQ(read.head().framing, BodyFraming::length);
    EXPECT_EQ(read.kept(), "X;");
    EXPECT_FALSE(ResponseText(response_with("", line)).flaw());
  }
}

TEST(ResponseHead, TellsInterimFromFinal) {
  EXPECT_TRUE(ResponseText(response_with("", "HTTP/1.1 100 Continue")).head().is_interim());
  EXPECT_TRUE(ResponseText(response_with("Link: </a>\r\n", "HTTP/1.1 103 Early Hints")).head().is_interim());
  EXPECT_FALSE(ResponseText(response_with("")).head().is_interim());
  EXPECT_FALSE(ResponseText(response_with("", "HTTP/1.1 599 Odd")).head().is_interim());
}

// --- The connection
// -----------------------------------------------------------------------------------------------------------

bool keeps_alive(const std::string& fields, const std::string& line = "HTTP/1.1 200 OK") {
  return ResponseText(response_with(fields, line)).head().keep_alive;
}

TEST(ResponseHead, SaysWhetherTheConnectionMayBeUsedAgain) {
  EXPECT_TRUE(keeps_alive(""));
  EXPECT_TRUE(keeps_alive("Connection: keep-alive\r\n"));
  EXPECT_FALSE(keeps_alive("Connection: Close\r\n"));
  EXPECT_FALSE(keeps_alive("", "HTTP/1.0 200 OK"));
  EXPECT_TRUE(keeps_alive("Connection: Keep-Alive\r\n", "HTTP/1.0 200 OK"));
}

TEST(ResponseHead, M18_CloseWinsOverKeepAlive) {
  EXPECT_FALSE(keeps_alive("Connection: close, keep-alive\r\n"));
  EXPECT_FALSE(keeps_alive("Connection: keep-alive, close\r\n"));
  EXPECT_FALSE(keeps_alive("Connection: close\r\nConnection: keep-alive\r\n"));
  EXPECT_FALSE(keeps_alive("Connection: close, keep-alive\r\n", "HTTP/1.0 200 OK"));
}

TEST(ResponseHead, N03_KeepsWhatIsForTheClient) {
  const ResponseText read(response_with(
      "Date: now\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nProxy-Connection: x\r\nTE: x\r\nTrailer: "
      "x\r\n"
      "Upgrade: h2c\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nContent-Length: 2\r\nWWW-Authenticate: Bearer\r\n"
      "Set-Cookie: a\r\nSet-Cookie: b\r\nX-Hop: 2\r\n"));
  ASSERT_FALSE(read.flaw());
  EXPECT_EQ(read.kept(), "Date;WWW-Authenticate;Set-Cookie;Set-Cookie;");
}

TEST(ResponseHead, N01_DropsWhatALaterConnectionNames) {
  EXPECT_EQ(ResponseText(response_with("x-HOP: 1\r\nX-A: 1\r\nConnection: ,X-Hop\r\n")).kept(), "X-A;");
}

TEST(ResponseHead, SeesCacheControlThatGoesOn) {
  EXPECT_TRUE(ResponseText(response_with("cache-control: no-store\r\n")).head().has_cache_control);
  EXPECT_FALSE(ResponseText(response_with("")).head().has_cache_control);
  EXPECT_FALSE(
      ResponseText(response_with("Cache-Control: public\r\nConnection: cache-control\r\n")).head().has_cache_control)
      << "it does not reach the client";
}

TEST(ResponseHead, KeepsNothingOfTheOneBefore) {
  ResponseHead head;
  ASSERT_FALSE(read_response_head(
      response_with("Content-Length: 5\r\nCache-Control: a\r\nDate: b\r\nConnection: close\r\n"), Method::get, head));
  const std::string second = response_with("X: 1\r\n");
  ASSERT_FALSE(read_response_head(second, Method::get, head));
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.has_content_length || head.has_cache_control || head.has_date);
  EXPECT_EQ(head.content_length, 0U);
  EXPECT_EQ(head.framing, BodyFraming::until_close);
}

}  // namespace
}  // namespace keygate::proxy
