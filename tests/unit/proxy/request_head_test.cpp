#include "proxy/request_head.hpp"

#include "proxy/request_fields.hpp"
#include "tests/unit/proxy/heads.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::proxy {
namespace {

using testing::get_with;
using testing::HeadText;
using testing::post_with;
using testing::request_line;

// --- The matrix: what the gate lets through and the reading of the fields does not
// ------------------------------------------

struct Row {
  std::string name;
  std::string head;
  std::string code;
};

void PrintTo(const Row& row, std::ostream* out) { *out << ::testing::PrintToString(row.head); }

class RequestMatrix : public ::testing::TestWithParam<Row> {};

TEST_P(RequestMatrix, IsAnsweredAsItSays) {
  const HeadText read(GetParam().head);
  EXPECT_EQ(read.code(), GetParam().code) << (read.refusal() ? read.refusal()->what : "");
}

std::string absolute(const std::string& url, const std::string& host = "a.example") {
  return "GET " + url + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
}

std::vector<Row> body_length_rows() {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  std::vector<Row> rows = {
      {"R01_LengthThenChunked", post_with("Content-Length: 6\r\n" + chunked), "bad_request"},
      {"R01_ChunkedThenLength", post_with(chunked + "Content-Length: 6\r\n"), "bad_request"},
      {"R01_ChunkedAndLengthZero", post_with(chunked + "Content-Length: 0\r\n"), "bad_request"},
      {"R02_Xchunked", post_with("Transfer-Encoding: xchunked\r\n"), "bad_request"},
      {"R02_Identity", post_with("Transfer-Encoding: identity\r\n"), "bad_request"},
      {"R02_Empty", post_with("Transfer-Encoding:\r\n"), "bad_request"},
      {"R02_ChunkedThenGzip", post_with("Transfer-Encoding: chunked, gzip\r\n"), "bad_request"},
      {"R02_GzipThenChunked", post_with("Transfer-Encoding: gzip, chunked\r\n"), "bad_request"},
      {"R02_ChunkedTwiceInOneLine", post_with("Transfer-Encoding: chunked, chunked\r\n"), "bad_request"},
      {"R02_EmptyElementThenChunked", post_with("Transfer-Encoding: ,chunked\r\n"), "bad_request"},
      {"R02_ChunkedThenEmptyElement", post_with("Transfer-Encoding: chunked,\r\n"), "bad_request"},
      {"R02_ChunkedWithParameter", post_with("Transfer-Encoding: chunked;a=b\r\n"), "bad_request"},
      {"R02_ChunkedInQuotes", post_with("Transfer-Encoding: \"chunked\"\r\n"), "bad_request"},
      {"R02_ChunkedWithObsText", post_with("Transfer-Encoding: chunked\x80\r\n"), "bad_request"},
      {"R08_IdentityLineThenChunkedLine", post_with("Transfer-Encoding: identity\r\n" + chunked), "bad_request"},
      {"R08_ChunkedLineThenIdentityLine", post_with(chunked + "Transfer-Encoding: identity\r\n"), "bad_request"},
      {"R08_ChunkedInTwoLines", post_with(chunked + chunked), "bad_request"},
      {"M09_ChunkedOnHttp10", "POST / HTTP/1.0\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n",
       "bad_request"},
      {"R02_ChunkedInAnyCase", post_with("transfer-ENCODING: ChUnKeD\r\n"), "ok"},
      {"H05_ChunkedWithBlanksAround", post_with("Transfer-Encoding: \t chunked \t\r\n"), "ok"},
      {"R07_TwoLengthsAlike", post_with("Content-Length: 1\r\nContent-Length: 1\r\n"), "bad_request"},
      {"R07_TwoLengthsThatDiffer", post_with("Content-Length: 1\r\nContent-Length: 2\r\n"), "bad_request"},
      {"R07_EmptyLengthThenValid", post_with("Content-Length: \r\nContent-Length: 1\r\n"), "bad_request"},
      {"R07_ValidLengthThenEmpty", post_with("Content-Length: 1\r\nContent-Length:\r\n"), "bad_request"},
      {"LengthThatOnlyFolds", post_with("Content_Length: 5\r\n"), "ok"},
      {"UpgradeWithLength", get_with("Upgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 5\r\n"),
       "bad_request"},
      {"UpgradeWithChunks", get_with("Upgrade: h2c, WebSocket\r\nConnection: upgrade\r\n" + chunked), "bad_request"},
      {"TwoUpgrades", get_with("Upgrade: h2c\r\nUpgrade: websocket\r\n"), "bad_request"},
  };
  int number = 0;
  for (const auto* length : {"1, 1", "1,1", "01", "00", "+1", "-1", "-0", "0x1", "1_0", "1 0", "1;", "1.0", "1e1", "5x",
                             "", "18446744073709551616", "9223372036854775808", "1000000000000000000", "\xd9\xa1"}) {
    rows.push_back({"M10_Length" + std::to_string(++number),
                    post_with("Content-Length: " + std::string(length) + "\r\n"), "bad_request"});
  }
  for (const auto* length : {"0", "1", "10", "999999999999999999", " 7\t"}) {
    rows.push_back(
        {"LengthIsGood" + std::to_string(++number), post_with("Content-Length:" + std::string(length) + "\r\n"), "ok"});
  }
  return rows;
}

std::vector<Row> connection_rows() {
  std::vector<Row> rows;
  int number = 0;
  // N-02, H-03: end-to-end fields and ours, in any spelling, wherever in the list.
  for (const auto* value : {"host",
                            "Authorization",
                            "x-api-key",
                            "content-length",
                            "transfer-encoding",
                            "x-forwarded-for",
                            "X-Org-Id",
                            "x-ORG-id, close",
                            "close,,X-Org-Id",
                            "x_org_id",
                            "X.Org.Id",
                            "x~org~id",
                            "via",
                            "cookie",
                            "set-cookie",
                            "cache-control",
                            "content-type",
                            "date",
                            "X-Request-Id",
                            "x-keygate-anything",
                            "forwarded",
                            "x-original-url",
                            "proxy-authorization",
                            "connection",
                            "keep-alive, X-Scopes",
                            "x_api_key",
                            "accept",
                            "\"close\"",
                            "close x",
                            "a b",
                            "@"}) {
    rows.push_back({"N02_Refused" + std::to_string(++number), get_with("Connection: " + std::string(value) + "\r\n"),
                    "bad_request"});
  }
  for (const auto* value : {"", "close", "CLOSE", "keep-alive", "Keep-Alive, Upgrade", "te", "upgrade, http2-settings",
                            ",", "close,,close", "X-Foo", "trailer", "proxy-connection", "x-organization"}) {
    rows.push_back(
        {"N01_Let" + std::to_string(++number), get_with("Connection: " + std::string(value) + "\r\n"), "ok"});
  }
  rows.push_back({"H03_InTheSecondLine", get_with("Connection: close\r\nConnection: X-Org-Id\r\n"), "bad_request"});
  return rows;
}

std::vector<Row> other_rows() {
  return {
      {"M04_NoHost", "GET / HTTP/1.1\r\nX: 1\r\n\r\n", "bad_request"},
      {"M04_NoFieldsAtAll", "GET / HTTP/1.1\r\n\r\n", "bad_request"},
      {"M04_NoHostOnHttp10", "GET / HTTP/1.0\r\n\r\n", "bad_request"},
      {"M04_TwoHosts", get_with("Host: b.example\r\n"), "bad_request"},
      {"M04_TwoHostsAlike", get_with("host: a.example\r\n"), "bad_request"},
      {"H04_TwoAuthorizations", get_with("Authorization: Bearer a\r\nAuthorization: Bearer a\r\n"),
       "ambiguous_credential"},
      {"H04_TwoContentTypes", get_with("Content-Type: a/b\r\nContent-Type: c/d\r\n"), "bad_request"},
      {"N09_UnknownExpectation", get_with("Expect: foo\r\n"), "expectation_failed"},
      {"N09_TwoExpectationsInOne", get_with("Expect: y 100-continue\r\n"), "expectation_failed"},
      {"N09_ListOfExpectations", get_with("Expect: 100-continue, foo\r\n"), "expectation_failed"},
      {"N09_TwoExpectLines", get_with("Expect: 100-continue\r\nExpect: 100-continue\r\n"), "bad_request"},
      {"N09_Continue", get_with("Expect: 100-Continue\r\n"), "ok"},
      {"MethodLowerCase", request_line("get / HTTP/1.1"), "not_implemented"},
      {"MethodUnknown", request_line("FOO / HTTP/1.1"), "not_implemented"},
      {"MethodLong", request_line(std::string(4000, 'M') + " / HTTP/1.1"), "not_implemented"},
      {"M06_Connect", request_line("CONNECT a.example:443 HTTP/1.1"), "method_not_allowed"},
      {"R10_ConnectWithBody", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", "method_not_allowed"},
      {"N06_Trace", request_line("TRACE / HTTP/1.1"), "method_not_allowed"},
      {"M07_TargetTooLong", request_line("GET /" + std::string(8192, 'a') + " HTTP/1.1"), "target_too_long"},
      {"M07_FieldTooLong", get_with("X: " + std::string(8192, 'a') + "\r\n"), "header_too_large"},
      {"Version12", request_line("GET / HTTP/1.2"), "version_not_supported"},
      {"Version20", request_line("GET / HTTP/2.0"), "version_not_supported"},
      {"P06_Backslash", request_line("GET /public\\..\\admin HTTP/1.1"), "ambiguous_path"},
      {"P09_Rootless", request_line("GET admin HTTP/1.1"), "bad_request"},
      {"P09_OnlyQuery", request_line("GET ?x HTTP/1.1"), "bad_request"},
      {"P09_SchemeWithoutSlashes", request_line("GET http:admin HTTP/1.1"), "bad_request"},
      {"P09_OneSlash", request_line("GET http:/admin HTTP/1.1"), "bad_request"},
      {"P09_Port", request_line("GET :80/admin HTTP/1.1"), "bad_request"},
      {"P09_Dot", request_line("GET . HTTP/1.1"), "bad_request"},
      {"M06_AuthorityForm", request_line("GET a:80 HTTP/1.1"), "bad_request"},
      {"M06_AsteriskWithoutOptions", request_line("GET * HTTP/1.1"), "bad_request"},
      {"M06_AsteriskAndMore", request_line("OPTIONS *x HTTP/1.1"), "bad_request"},
      {"N07_OptionsAsterisk", request_line("OPTIONS * HTTP/1.1"), "ok"},
      {"OtherScheme", absolute("ftp://a.example/"), "bad_request"},
      {"M05_SameAuthority", absolute("http://a.example/x"), "ok"},
      {"M05_OtherAuthority", absolute("http://b.example/x"), "misdirected_request"},
      {"M05_OtherPort", absolute("http://a.example:8080/x"), "misdirected_request"},
      {"M05_OtherHostOfSamePrefix", absolute("http://a.example.evil/x"), "misdirected_request"},
      {"M05_UserInformation", absolute("http://a.example@evil/x"), "bad_request"},
      {"M05_UserInformationOfTheSameHost", absolute("http://u@a.example/x"), "bad_request"},
      {"M05_NoAuthority", absolute("http:///x"), "bad_request"},
      {"M05_OnlyScheme", absolute("http://"), "bad_request"},
      {"M05_PortOutOfRange", absolute("http://a.example:65536/", "a.example:65536"), "misdirected_request"},
      {"M05_PortZero", absolute("http://a.example:0/", "a.example:0"), "misdirected_request"},
      {"M05_HostsThatAreNone", absolute("http://a,b/", "a,b"), "misdirected_request"},
      {"M05_LongHost", absolute("http://" + std::string(300, 'a') + "/", std::string(300, 'a')), "misdirected_request"},
  };
}

std::string name_of(const ::testing::TestParamInfo<Row>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(BodyLength, RequestMatrix, ::testing::ValuesIn(body_length_rows()), name_of);
INSTANTIATE_TEST_SUITE_P(Connection, RequestMatrix, ::testing::ValuesIn(connection_rows()), name_of);
INSTANTIATE_TEST_SUITE_P(Other, RequestMatrix, ::testing::ValuesIn(other_rows()), name_of);

// --- What is read
// -----------------------------------------------------------------------------------------------------------

TEST(RequestHead, SaysHowLongTheBodyIs) {
  EXPECT_FALSE(HeadText(get_with("")).head().has_body());
  EXPECT_FALSE(HeadText(get_with("")).head().has_content_length);

  const HeadText counted(post_with("Content-Length: 44\r\n"));
  EXPECT_TRUE(counted.head().has_body());
  EXPECT_TRUE(counted.head().has_content_length);
  EXPECT_EQ(counted.head().content_length, 44U);

  const HeadText empty(post_with("Content-Length: 0\r\n"));
  EXPECT_FALSE(empty.head().has_body());
  EXPECT_TRUE(empty.head().has_content_length);

  const HeadText chunked(post_with("Transfer-Encoding: chunked\r\n"));
  EXPECT_TRUE(chunked.head().has_body());
  EXPECT_TRUE(chunked.head().is_chunked);
  EXPECT_FALSE(chunked.head().has_content_length);
}

TEST(RequestHead, KeepsAliveOnlyHttp11WithoutClose) {
  EXPECT_TRUE(HeadText(get_with("")).head().keep_alive);
  EXPECT_TRUE(HeadText(get_with("Connection: keep-alive\r\n")).head().keep_alive);
  EXPECT_FALSE(HeadText(get_with("Connection: Close\r\n")).head().keep_alive);
  EXPECT_FALSE(HeadText(get_with("Connection: close, keep-alive\r\n")).head().keep_alive);
  EXPECT_FALSE(HeadText(get_with("Connection: keep-alive\r\nConnection: x, close\r\n")).head().keep_alive);
  EXPECT_FALSE(HeadText("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n").head().keep_alive) << "M-19";
}

TEST(RequestHead, N09_ExpectsContinueOnlyOnHttp11) {
  EXPECT_TRUE(HeadText(get_with("Expect: 100-continue\r\n")).head().expects_continue);
  EXPECT_FALSE(HeadText(get_with("")).head().expects_continue);
  EXPECT_FALSE(HeadText("GET / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n\r\n").head().expects_continue);
}

TEST(RequestHead, SeesThatTrailersAreWanted) {
  EXPECT_TRUE(HeadText(get_with("TE: gzip, Trailers\r\n")).head().accepts_trailers);
  EXPECT_FALSE(HeadText(get_with("TE: gzip\r\n")).head().accepts_trailers);
}

TEST(RequestHead, M05_MakesAnAbsoluteTargetOriginForm) {
  EXPECT_EQ(HeadText(absolute("http://a.example/x?y")).target(), "/x?y");
  EXPECT_EQ(HeadText(absolute("http://a.example")).target(), "/");
  EXPECT_EQ(HeadText(absolute("http://a.example?x=1")).target(), "/?x=1");
  EXPECT_EQ(HeadText(absolute("http://a?", "a")).target(), "/?");
  EXPECT_EQ(HeadText(absolute("HTTPS://A.example/")).target(), "/");
  EXPECT_EQ(HeadText(absolute("http://a.example:80/")).target(), "/");
  EXPECT_EQ(HeadText(absolute("https://a.example:443/")).target(), "/");
  EXPECT_EQ(HeadText(absolute("http://a.example/", "a.example:80")).target(), "/");
  EXPECT_EQ(HeadText(absolute("http://a.example:/", "a.example.")).target(), "/");
  EXPECT_EQ(HeadText(absolute("http://[::1]:8080/x", "[::1]:8080")).target(), "/x");
  EXPECT_EQ(HeadText(absolute("http://a.example//evil/")).target(), "//evil/") << "for the path's own judge";
  EXPECT_EQ(HeadText(absolute("http://a.example/@")).target(), "/@");
}

TEST(RequestHead, N07_TellsTheAsteriskApart) {
  const HeadText read(request_line("OPTIONS * HTTP/1.1"));
  EXPECT_TRUE(read.head().is_asterisk);
  EXPECT_EQ(read.target(), "*");
  EXPECT_FALSE(HeadText(request_line("OPTIONS / HTTP/1.1")).head().is_asterisk);
}

TEST(RequestHead, H05_TrimsBlanksAroundAValue) {
  const HeadText read("GET / HTTP/1.1\r\nHost: \t a.example \t\r\nX:  b  c \r\n\r\n");
  EXPECT_EQ(read.head().host, "a.example");
  EXPECT_EQ(read.head().fields[1].value, "b  c");
}

TEST(RequestHead, KeepsNothingOfTheOneBefore) {
  RequestHead head;
  std::string first =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nTE: trailers\r\n\r\n";
  ASSERT_FALSE(read_request_head(first, {}, testing::default_reserved(), head));
  std::string second = "OPTIONS * HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\n";
  ASSERT_FALSE(read_request_head(second, {}, testing::default_reserved(), head));
  EXPECT_FALSE(head.is_chunked || head.expects_continue || head.accepts_trailers);
  std::string third = "GET / HTTP/1.1\r\nHost: c\r\n\r\n";
  ASSERT_FALSE(read_request_head(third, {}, testing::default_reserved(), head));
  EXPECT_FALSE(head.has_body() || head.has_content_length || head.is_asterisk);
  EXPECT_EQ(head.host, "c");
  std::string refused = "GET / HTTP/1.1\nHost: c\n\n";
  ASSERT_TRUE(read_request_head(refused, {}, testing::default_reserved(), head));
  EXPECT_EQ(head.field_count, 0U);
  EXPECT_FALSE(head.keep_alive);
}

// --- What becomes of each field
// ---------------------------------------------------------------------------------------------

FieldFate fate_of(const std::string& name, const std::string& value = "1") {
  const HeadText read("GET / HTTP/1.1\r\n" + name + ": " + value + "\r\nHost: a\r\n\r\n");
  EXPECT_FALSE(read.refusal()) << name << ": " << read.refusal()->what;
  return read.fates().empty() ? FieldFate::keep : read.fates()[0];
}

TEST(FieldFate, KeepsEndToEndFields) {
  for (const auto* name : {"Accept", "content-type", "X-Foo", "X-Organization", "Max-Forwards", "Sec-WebSocket-Key",
                           "Origin", "X-Api-Keys", "X-Org-Id-2", "XOrgId", "Traceparent", "Content_Type"}) {
    EXPECT_EQ(fate_of(name), FieldFate::keep) << name;
  }
}

TEST(FieldFate, N03_DropsWhatEndsAtThisHop) {
  for (const auto* name :
       {"Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Upgrade", "HTTP2-Settings", "Proxy-Authorization",
        "Proxy-Authenticate", "Proxy", "Keep_Alive", "Content_Length", "Transfer.Encoding", "Proxy_Connection"}) {
    EXPECT_EQ(fate_of(name), FieldFate::drop) << name;
  }
  EXPECT_EQ(fate_of("Connection", "close"), FieldFate::drop);
  EXPECT_EQ(fate_of("Expect", "100-continue"), FieldFate::drop);
  EXPECT_EQ(fate_of("Content-Length"), FieldFate::drop);
  EXPECT_EQ(fate_of("Transfer-Encoding", "chunked"), FieldFate::drop);
}

TEST(FieldFate, H02_DropsOurHeadersInEverySpelling) {
  for (const auto* name : {"X-Org-Id", "x-org-id", "X_Org_Id", "X-Org_Id", "x.org.id", "X-ORG-ID", "X~Org~Id",
                           "X!Org!Id", "X-Key-Id", "X-User-Id", "X-Scopes", "X_Scopes", "X-Environment",
                           "X-Auth-Method", "X-Auth_Method", "X-Keygate-Degraded", "x_keygate_anything"}) {
    EXPECT_EQ(fate_of(name), FieldFate::drop) << name;
  }
}

TEST(FieldFate, P18_KnowsWhatOnlyAProxyMaySay) {
  for (const auto* name : {"X-Forwarded-For", "X_Forwarded_For", "X-Forwarded-Proto", "X-Forwarded-Anything",
                           "Forwarded", "X-Real-IP", "X-Original-URL", "X-Original-URI", "X-Rewrite-URL",
                           "X-Envoy-Original-Path", "X-HTTP-DestinationURL", "X-Request-Id", "True-Client-IP",
                           "CF-Connecting-IP", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"}) {
    EXPECT_EQ(fate_of(name), FieldFate::forwarding) << name;
  }
}

TEST(FieldFate, KnowsCredentialsCookiesHostAndVia) {
  EXPECT_EQ(fate_of("Authorization"), FieldFate::credential);
  EXPECT_EQ(fate_of("x-api-key"), FieldFate::credential);
  EXPECT_EQ(fate_of("X_Api_Key"), FieldFate::credential);
  EXPECT_EQ(fate_of("Cookie"), FieldFate::cookie);
  EXPECT_EQ(fate_of("Via"), FieldFate::via);
  const HeadText read(get_with(""));
  EXPECT_EQ(read.fates(), (std::vector{FieldFate::host}));
}

TEST(FieldFate, N01_DropsWhatConnectionNames) {
  const HeadText read(get_with("Connection: close, x-FOO\r\nX-Foo: 1\r\nX-Foobar: 2\r\nX-Foo: 3\r\n"));
  ASSERT_EQ(read.code(), "ok");
  EXPECT_EQ(read.fates(),
            (std::vector{FieldFate::host, FieldFate::drop, FieldFate::drop, FieldFate::keep, FieldFate::drop}));
}

TEST(FieldFate, N01_DropsWhatALaterConnectionNames) {
  const HeadText read(get_with("X-Foo: 1\r\nX-Bar: 2\r\nConnection: x-foo\r\nConnection: ,x-bar\r\n"));
  ASSERT_EQ(read.code(), "ok");
  EXPECT_EQ(read.fates()[1], FieldFate::drop);
  EXPECT_EQ(read.fates()[2], FieldFate::drop);
}

// A route with a header condition must not be won by a header that the upstream then does not get.
TEST(FieldFate, N01_HidesWhatConnectionNamesFromThePolicy) {
  const HeadText read(get_with("X-Beta: true\r\nConnection: x-beta\r\n"));
  ASSERT_EQ(read.code(), "ok");
  EXPECT_FALSE(read.has_field("X-Beta"));
  EXPECT_EQ(read.head().field_count, 3U);
}

TEST(RequestHead, D04_LimitsConnectionOptions) {
  std::string options;
  for (std::size_t i = 0; i < max_connection_options; ++i) options += "a,";
  EXPECT_EQ(HeadText(get_with("Connection: " + options + "\r\n")).code(), "ok");
  EXPECT_EQ(HeadText(get_with("Connection: " + options + "a\r\n")).code(), "bad_request");
  EXPECT_EQ(HeadText(get_with("Connection: " + options + "\r\nConnection: a\r\n")).code(), "bad_request");
  EXPECT_EQ(HeadText(get_with("Connection: " + std::string(4000, ',') + "\r\n")).code(), "ok") << "there is none in it";
}

TEST(RequestHead, N05_CountsDownHowFarAnOptionsMayGo) {
  const auto counted = [](const std::string& value) {
    const HeadText read("OPTIONS /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: " + value + "\r\n\r\n");
    return read.code() == "ok" ? std::string(read.head().fields[1].value) : std::string(read.code());
  };
  EXPECT_EQ(counted("1"), "0");
  EXPECT_EQ(counted("10"), "9");
  EXPECT_EQ(counted("1000"), "999");
  EXPECT_EQ(counted("007"), "6");
  EXPECT_EQ(counted("0010"), "9");
  EXPECT_EQ(counted("999999999"), "999999998");
  EXPECT_EQ(counted("1000000000"), "bad_request");
  EXPECT_EQ(counted("1 0"), "bad_request");
  EXPECT_EQ(counted("+1"), "bad_request");
  EXPECT_EQ(counted("1, 2"), "bad_request");
}

TEST(RequestHead, N05_AnOptionsThatMayGoNoFurtherAsksUs) {
  for (const std::string value : {"0", "00"}) {
    const HeadText read("OPTIONS /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: " + value + "\r\n\r\n");
    ASSERT_EQ(read.code(), "ok");
    EXPECT_TRUE(read.head().is_asterisk);
  }
  EXPECT_FALSE(HeadText("GET /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n").head().is_asterisk);
}

// --- Its pieces
// -------------------------------------------------------------------------------------------------------------

TEST(ContentLength, IsZeroOrDigitsWithoutLeadingZero) {
  EXPECT_EQ(parse_content_length("0"), 0U);
  EXPECT_EQ(parse_content_length("7"), 7U);
  EXPECT_EQ(parse_content_length("999999999999999999"), 999'999'999'999'999'999U);
  for (const auto* text : {"", "00", "01", "1000000000000000000", " 1", "1 ", "+1", "-1", "0x1", "1a", "1,1"}) {
    EXPECT_EQ(parse_content_length(text), std::nullopt) << text;
  }
}

TEST(EqualsIgnoringCase, FoldsLettersAndNothingElse) {
  EXPECT_TRUE(equals_ignoring_case("ChunkeD", "chunked"));
  EXPECT_TRUE(equals_ignoring_case("", ""));
  EXPECT_FALSE(equals_ignoring_case("chunke", "chunked"));
  EXPECT_FALSE(equals_ignoring_case("@", "`"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));
  EXPECT_FALSE(equals_ignoring_case("\xc1", "\xe1"));
}

std::vector<std::string> elements(std::string_view list) {
  std::vector<std::string> found;
  for_each_element(list, [&](std::string_view element) {
    found.emplace_back(element);
    return true;
  });
  return found;
}

TEST(Elements, AreTrimmedAndNeverEmpty) {
  EXPECT_EQ(elements(""), (std::vector<std::string>{}));
  EXPECT_EQ(elements(" ,\t,"), (std::vector<std::string>{}));
  EXPECT_EQ(elements("a"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(elements(",a ,\tb c,,"), (std::vector<std::string>{"a", "b c"}));
}

TEST(Elements, EndWhereTheVisitorSaysSo) {
  int visits = 0;
  for_each_element("a,b,c", [&](std::string_view) { return ++visits < 2; });
  EXPECT_EQ(visits, 2);
}

}  // namespace
}  // namespace keygate::proxy
