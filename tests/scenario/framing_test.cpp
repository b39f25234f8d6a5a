// Request framing (docs/threats.md): every input that two servers have read differently, whole, split byte by
// byte, and behind a good request. What is refused ends the connection, and nothing of it reaches the upstream.
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

using std::string;

// Would be granted, were it ever read as a request of its own.
const string smuggled = "GET /public/smuggled HTTP/1.1\r\nHost: api.local\r\n\r\n";

string head(const string& fields, const string& line = "POST /public/x HTTP/1.1") {
  return line + "\r\nHost: api.local\r\n" + fields + "\r\n";
}

struct Row {
  const char* name;
  string bytes;
  int status = 400;
  string code = "bad_request";
  Ending ending = Ending::closed;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class RefusedFraming : public Scenario, public testing::WithParamInterface<Row> {};

TEST_P(RefusedFraming, EndsTheConnectionAndSendsNothing) {
  start_without_keys();
  const Row& row = GetParam();
  for (const Delivery delivery : {Delivery::whole, Delivery::split, Delivery::pipelined}) {
    expect_denied(row.bytes, {row.status, row.code, row.ending}, delivery);
  }
}

std::vector<Row> both_lengths() {
  return {
      {"R01_M08_ContentLengthBeforeTransferEncoding",
       head("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\nG" + smuggled},
      {"R01_TransferEncodingBeforeContentLength",
       head("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n") + "5c\r\n" + smuggled + "\r\n0\r\n\r\n"},
      {"R01_ZeroLengthAndTransferEncoding", head("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n"},
  };
}

std::vector<Row> transfer_encodings() {
  std::vector<Row> rows;
  const auto add = [&](const char* name, const string& fields) {
    rows.push_back({name, head(fields) + "0\r\n\r\n" + smuggled});
  };
  add("R02_UnknownCoding", "Transfer-Encoding: xchunked\r\n");
  add("R02_Identity", "Transfer-Encoding: identity\r\n");
  add("R02_ChunkedThenGzip", "Transfer-Encoding: chunked, gzip\r\n");
  add("R02_ChunkedThenIdentity", "Transfer-Encoding: chunked, identity\r\n");
  add("R02_ChunkedTwiceInOneLine", "Transfer-Encoding: chunked, chunked\r\n");
  add("R02_IdentityAndChunkedLines", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n");
  add("R02_EmptyElement", "Transfer-Encoding: ,chunked\r\n");
  add("R02_TrailingComma", "Transfer-Encoding: chunked,\r\n");
  add("R02_GzipThenChunked", "Transfer-Encoding: gzip, chunked\r\n");
  add("R02_ChunkedWithParameter", "Transfer-Encoding: chunked;a=b\r\n");
  add("R02_ChunkedInQuotes", "Transfer-Encoding: \"chunked\"\r\n");
  add("R02_EmptyTransferEncoding", "Transfer-Encoding:\r\n");
  add("R08_ChunkedTwiceInTwoLines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n");
  add("R02_VerticalTabBeforeChunked",
      "Transfer-Encoding: \x0b"
      "chunked\r\n");
  rows.push_back({"R08_TransferEncodingInHttp10",
                  head("Transfer-Encoding: chunked\r\n", "POST /public/x HTTP/1.0") + "0\r\n\r\n" + smuggled});
  return rows;
}

std::vector<Row> content_lengths() {
  std::vector<Row> rows;
  const auto add = [&](const char* name, const string& fields) { rows.push_back({name, head(fields) + "x"}); };
  add("R07_SameTwice", "Content-Length: 1\r\nContent-Length: 1\r\n");
  add("R07_DifferentTwice", "Content-Length: 1\r\nContent-Length: 2\r\n");
  add("R07_List", "Content-Length: 1, 1\r\n");
  add("R07_LeadingZero", "Content-Length: 01\r\n");
  add("R07_Plus", "Content-Length: +1\r\n");
  add("R07_Minus", "Content-Length: -1\r\n");
  add("R07_Hex", "Content-Length: 0x1\r\n");
  add("R07_Empty", "Content-Length:\r\n");
  add("R07_EmptyThenValid", "Content-Length: \r\nContent-Length: 1\r\n");
  add("R07_TwoToThe64", "Content-Length: 18446744073709551616\r\n");
  add("R07_NineteenDigits", "Content-Length: 1000000000000000000\r\n");
  add("R07_BlankInside", "Content-Length: 1 1\r\n");
  add("R07_Fraction", "Content-Length: 1.0\r\n");
  return rows;
}

std::vector<Row> field_lines() {
  std::vector<Row> rows;
  const auto add = [&](const char* name, const string& fields) {
    rows.push_back({name, head(fields, "GET /public/x HTTP/1.1")});
  };
  add("M01_BlankBeforeColon", "X-A : 1\r\n");
  add("M01_TabBeforeColon", "X-A\t: 1\r\n");
  add("M01_BlankBeforeColonOfContentLength", "Content-Length : 5\r\n");
  add("H10_EmptyName", ": 1\r\n");
  add("M01_NoColon", "X-A\r\n");
  add("M01_HighByteInName", "X-\xe9: 1\r\n");
  add("M01_ControlInName", "X-\x01: 1\r\n");
  add("M02_FoldedLine", "X-A: 1\r\n 2\r\n");
  add("M02_FoldedWithTab", "X-A: 1\r\n\t2\r\n");
  add("M02_FoldedTransferEncoding", "Transfer-Encoding:\r\n chunked\r\n");
  add("M03_BareCarriageReturnInValue", "X-A: a\rb\r\n");
  add("M03_NulInValue", string("X-A: a\0b\r\n", 10));
  add("M03_ControlInValue",
      "X-A: a\x01"
      "b\r\n");
  add("M03_DeleteInValue",
      "X-A: a\x7f"
      "b\r\n");
  add("M03_BareLineFeedInTheMiddle", "X-A: 1\nX-B: 2\r\n");
  rows.push_back({"M03_BlankLedFirstField", "GET /public/x HTTP/1.1\r\n X: 1\r\nHost: api.local\r\n\r\n"});
  rows.push_back({"M03_BareLineFeeds", "GET /public/x HTTP/1.1\nHost: api.local\n\n"});
  rows.push_back({"M03_BareLineFeedAfterRequestLine", "GET /public/x HTTP/1.1\nHost: api.local\r\n\r\n"});
  rows.push_back({"M03_BareLineFeedAtTheEnd", "GET /public/x HTTP/1.1\r\nHost: api.local\r\n\n" + smuggled});
  rows.push_back({"M03_ThreeEmptyLinesFirst", "\r\n\r\n\r\nGET /public/x HTTP/1.1\r\nHost: api.local\r\n\r\n"});
  rows.push_back({"R03_OptionsWithExpectAndFoldedLine",
                  head("Expect:\r\n 100-continue\r\nContent-Length: 4\r\n", "OPTIONS /public/x HTTP/1.1") + "abcd"});
  return rows;
}

std::vector<Row> hosts() {
  return {
      {"M04_NoHost", "GET /public/x HTTP/1.1\r\nX-A: 1\r\n\r\n"},
      {"M04_TwoHosts", "GET /public/x HTTP/1.1\r\nHost: api.local\r\nHost: api.local\r\n\r\n"},
      {"M04_HostThatIsNone", "GET /public/x HTTP/1.1\r\nHost: a b/c@d\r\n\r\n"},
      {"M04_NoHostInHttp10", "GET /public/x HTTP/1.0\r\n\r\n"},
  };
}

std::vector<Row> request_lines() {
  std::vector<Row> rows;
  const auto add = [&](const char* name, const string& line, int status = 400, const string& code = "bad_request",
                       Ending ending = Ending::closed) {
    rows.push_back({name, line + "\r\nHost: api.local\r\n\r\n", status, code, ending});
  };
  const string either = "bad_request|ambiguous_path";
  add("P09_RootlessTarget", "GET admin HTTP/1.1", 400, either);
  add("M06_AsteriskForGet", "GET * HTTP/1.1", 400, either);
  add("M06_AuthorityForGet", "GET a:80 HTTP/1.1", 400, either);
  add("M06_BlankInTarget", "GET /public/a b HTTP/1.1");
  add("M06_TwoBlanks", "GET  /public/x HTTP/1.1");
  add("M06_Tab", "GET\t/public/x HTTP/1.1");
  add("M06_TrailingBlank", "GET /public/x HTTP/1.1 ");
  add("M06_NoVersion", "GET /public/x");
  add("M06_LowerCaseVersion", "GET /public/x http/1.1");
  add("P07_Fragment", "GET /public/x#y HTTP/1.1", 400, either);
  add("P14_HighByte", "GET /public/\xff HTTP/1.1", 400, either);
  add("P06_Backslash", "GET /public\\x HTTP/1.1", 400, either);
  for (const char c : string("\"<>^{|}`")) {
    add("P13_ForbiddenCharacter", string("GET /public/") + c + " HTTP/1.1", 400, either);
  }
  add("P16_BrokenEscape", "GET /public/%zz HTTP/1.1", 400, either);
  add("P03_EscapedNul", "GET /public/%00 HTTP/1.1", 400, either);
  add("M05_AbsoluteFormOfAnotherHost", "GET http://other.local/public/x HTTP/1.1", 421, "misdirected_request");
  add("M05_AbsoluteFormWithUserInfo", "GET http://api.local@other.local/public/x HTTP/1.1", 400,
      "bad_request|misdirected_request");
  rows.back().code += "|ambiguous_path";
  add("LowerCaseMethod", "get /public/x HTTP/1.1", 501, "not_implemented", Ending::any);
  add("UnknownMethod", "FOO /public/x HTTP/1.1", 501, "not_implemented", Ending::any);
  add("R10_Connect", "CONNECT x:443 HTTP/1.1", 405, "method_not_allowed");
  add("N06_Trace", "TRACE /public/x HTTP/1.1", 405, "method_not_allowed", Ending::any);
  add("Http12", "GET /public/x HTTP/1.2", 505, "version_not_supported");
  add("Http20", "GET /public/x HTTP/2.0", 505, "version_not_supported");
  add("Http09", "GET /public/x HTTP/0.9", 505, "version_not_supported|bad_request");
  rows.back().status = 505;
  return rows;
}

std::vector<Row> sizes() {
  string many;
  for (int i = 0; i < 150; ++i) {
    many += "X-" + std::to_string(i) + ": 1\r\n";
  }
  string very_many;
  for (int i = 0; i < 1500; ++i) {
    very_many += "X-" + std::to_string(i) + ": 1\r\n";
  }
  string too_many_by_one;  // and Host
  for (int i = 0; i < 100; ++i) {
    too_many_by_one += "X: 1\r\n";
  }
  return {
      {"M07_TargetOf9KiB", head("", "GET /public/" + string(9 * 1024, 'a') + " HTTP/1.1"), 414, "target_too_long"},
      {"M07_QueryOf9KiB", head("", "GET /public/?" + string(9 * 1024, 'a') + " HTTP/1.1"), 414, "target_too_long"},
      {"M07_HeadOf33KiB", head("X-A: " + string(33 * 1024, 'a') + "\r\n", "GET /public/x HTTP/1.1"), 431,
       "header_too_large"},
      {"D03_HeadersOf33KiB",
       head(string("X-A: ") + string(7000, 'a') + "\r\nX-B: " + string(7000, 'a') + "\r\nX-C: " + string(7000, 'a') +
                "\r\nX-D: " + string(7000, 'a') + "\r\nX-E: " + string(7000, 'a') + "\r\n",
            "GET /public/x HTTP/1.1"),
       431, "header_too_large"},
      {"D03_101Fields", head(too_many_by_one, "GET /public/x HTTP/1.1"), 431, "header_too_large"},
      {"D03_151Fields", head(many, "GET /public/x HTTP/1.1"), 431, "header_too_large"},
      {"D03_1501Fields", head(very_many, "GET /public/x HTTP/1.1"), 431, "header_too_large"},
  };
}

string name_of(const testing::TestParamInfo<Row>& info) {
  return string(info.param.name) + "_" + std::to_string(info.index);
}

INSTANTIATE_TEST_SUITE_P(BothLengths, RefusedFraming, testing::ValuesIn(both_lengths()), name_of);
INSTANTIATE_TEST_SUITE_P(TransferEncoding, RefusedFraming, testing::ValuesIn(transfer_encodings()), name_of);
INSTANTIATE_TEST_SUITE_P(ContentLength, RefusedFraming, testing::ValuesIn(content_lengths()), name_of);
INSTANTIATE_TEST_SUITE_P(FieldLines, RefusedFraming, testing::ValuesIn(field_lines()), name_of);
INSTANTIATE_TEST_SUITE_P(Host, RefusedFraming, testing::ValuesIn(hosts()), name_of);
INSTANTIATE_TEST_SUITE_P(RequestLine, RefusedFraming, testing::ValuesIn(request_lines()), name_of);
INSTANTIATE_TEST_SUITE_P(Sizes, RefusedFraming, testing::ValuesIn(sizes()), name_of);

// A body that goes wrong is found out when its head may have been sent on already: then the upstream's request must
// never look complete.
class RefusedChunks : public Scenario, public testing::WithParamInterface<Row> {
 protected:
  void expect_refused(const string& bytes, Delivery delivery) {
    SCOPED_TRACE(shown(bytes));
    upstream.forget();
    RawClient client = keygate.connect();
    if (delivery == Delivery::pipelined) {
      client.send(request_to("/public/first") + bytes);
      EXPECT_EQ(client.read_response().status, 200);
    } else if (delivery == Delivery::split) {
      client.send_split(bytes);
    } else {
      client.send(bytes);
    }
    try {
      expect_problem(client.read_response(), 400, "bad_request");
    } catch (const std::exception& failure) {
      ADD_FAILURE() << failure.what();
    }
    EXPECT_TRUE(client.is_ended(std::chrono::seconds(5))) << shown(client.unread());
    for (const Request& request : upstream.requests()) {
      EXPECT_EQ(request.target, "/public/first") << "the upstream was sent a complete request";
    }
    EXPECT_EQ(upstream.bytes().find("smuggled"), string::npos);
    // Whatever was begun is broken off.
    EXPECT_TRUE(eventually([&] { return !upstream.has_partial_request() || upstream.open_connections() == 0; }));
  }
};

TEST_P(RefusedChunks, NeverMakeACompleteRequest) {
  start_without_keys();
  for (const Delivery delivery : {Delivery::whole, Delivery::split, Delivery::pipelined}) {
    expect_refused(head("Transfer-Encoding: chunked\r\n") + GetParam().bytes, delivery);
  }
}

std::vector<Row> chunks() {
  string slow_extensions;
  for (int i = 0; i < 20; ++i) {
    slow_extensions += "1;" + string(250, 'e') + "\r\nx\r\n";
  }
  string trailers;
  for (int i = 0; i < 90; ++i) {
    trailers += "X-T: " + string(300, 't') + "\r\n";
  }
  string short_trailers;
  for (int i = 0; i < 17; ++i) {
    short_trailers += "X: t\r\n";
  }
  return {
      {"SizeWithPrefix", "0x1\r\na\r\n0\r\n\r\n"},
      {"SizeWithPlus", "+1\r\na\r\n0\r\n\r\n"},
      {"SizeWithMinus", "-1\r\na\r\n0\r\n\r\n"},
      {"SizeWithUnderscore", "1_0\r\n0123456789abcdef\r\n0\r\n\r\n"},
      {"BlankBeforeSize", " 1\r\na\r\n0\r\n\r\n"},
      {"BlankAfterSize", "1 \r\na\r\n0\r\n\r\n"},
      {"TabAfterSize", "1\t\r\na\r\n0\r\n\r\n"},
      {"EmptySize", "\r\na\r\n0\r\n\r\n"},
      {"NoSizeButExtension", ";a=b\r\na\r\n0\r\n\r\n"},
      {"M12_SeventeenDigits", "10000000000000001\r\na\r\n0\r\n\r\n"},
      {"M12_ThirtyNineZeros", string(39, '0') + "1\r\na\r\n0\r\n\r\n"},
      {"M12_LargestSize", "FFFFFFFFFFFFFFFF\r\na\r\n0\r\n\r\n"},
      {"R04_BareLineFeedAfterSize", "1\na\r\n0\r\n\r\n"},
      {"R04_BareLineFeedAfterData", "1\r\na\n0\r\n\r\n"},
      {"R04_BareLineFeedInExtension", "2;\nxx\r\n0\r\n\r\n"},
      {"R04_BareCarriageReturnAfterSize", "1\ra\r\n0\r\n\r\n"},
      {"R04_LastChunkWithBareLineFeeds", "1\r\na\r\n0\n\n" + smuggled},
      {"R05_ExtensionWithQuotedLineFeed", "1;a=\"\n\"\r\nx\r\n0\r\n\r\n"},
      {"R05_ExtensionOf64KiB", "1;" + string(64 * 1024, 'e') + "\r\nx\r\n0\r\n\r\n"},
      {"R05_ExtensionOf300Bytes", "1;" + string(300, 'e') + "\r\nx\r\n0\r\n\r\n"},
      {"R05_ExtensionsOf4KiBInAll", slow_extensions + "0\r\n\r\n"},
      {"R05_ControlInExtension", string("1;a=\0b\r\nx\r\n0\r\n\r\n", 17)},
      {"R06_MoreDataThanSize", "1\r\nXYZ\r\n0\r\n\r\n"},
      {"R06_LessDataThanSize", "5\r\nXYZ\r\n0\r\n\r\n" + smuggled},
      {"TrailersOf27KiB", "1\r\na\r\n0\r\n" + trailers + "\r\n"},
      {"SeventeenTrailers", "1\r\na\r\n0\r\n" + short_trailers + "\r\n"},
      {"TrailerWithBlankBeforeColon", "1\r\na\r\n0\r\nX : 1\r\n\r\n"},
      {"TrailerFolded", "1\r\na\r\n0\r\nX: 1\r\n 2\r\n\r\n"},
  };
}

INSTANTIATE_TEST_SUITE_P(Chunks, RefusedChunks, testing::ValuesIn(chunks()), name_of);

class Framing : public Scenario {
 protected:
  void SetUp() override { start(); }

  // In all three deliveries the upstream sees one request (behind the first, where there is one), framed in one way.
  Request expect_one_request(const string& bytes, AnswerTo method = AnswerTo::get) {
    Request last;
    for (const Delivery delivery : {Delivery::whole, Delivery::split, Delivery::pipelined}) {
      SCOPED_TRACE(shown(bytes));
      upstream.forget();
      RawClient client = keygate.connect();
      if (delivery == Delivery::pipelined) {
        client.send(request_to("/public/first") + bytes);
        EXPECT_EQ(client.read_response().status, 200);
      } else if (delivery == Delivery::split) {
        client.send_split(bytes);
      } else {
        client.send(bytes);
      }
      EXPECT_EQ(client.read_response(method).status, 200);
      const auto seen = upstream.requests();
      if (seen.size() != (delivery == Delivery::pipelined ? 2U : 1U)) {
        ADD_FAILURE() << seen.size() << " requests: " << shown(upstream.bytes());
        return last;
      }
      last = seen.back();
      EXPECT_LE(last.fields.count("content-length") + last.fields.count("transfer-encoding"), 1U);
      EXPECT_EQ(last.version, "HTTP/1.1");
      EXPECT_FALSE(upstream.has_partial_request());
    }
    return last;
  }
};

TEST_F(Framing, M03_UpToTwoEmptyLinesBeforeARequestAreSkipped) {
  // Where the packets part is chance: often enough that every place is met.
  for (int round = 0; round < 10; ++round) {
    for (const string blank : {"\r\n", "\r\n\r\n"}) {
      EXPECT_EQ(expect_one_request(blank + request_to("/public/x")).target, "/public/x");
    }
  }
}

TEST_F(Framing, M05_AbsoluteFormOfTheSameHostIsSentInOriginForm) {
  for (const string line : {"GET http://api.local/public/x?y HTTP/1.1", "GET HTTP://API.local:80/public/x?y HTTP/1.1",
                            "GET https://api.local/public/x?y HTTP/1.1", "GET http://api.local:/public/x?y HTTP/1.1"}) {
    const Request seen = expect_one_request(line + "\r\nHost: api.local\r\n\r\n");
    EXPECT_EQ(seen.target, "/public/x?y") << line;
    EXPECT_TRUE(equal_ignoring_case(seen.fields["host"], "api.local")) << seen.fields["host"];
  }
}

TEST_F(Framing, N07_OptionsAsteriskIsAnsweredHere) {
  const Response response = ask("OPTIONS * HTTP/1.1\r\nHost: api.local\r\n\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(upstream.bytes(), "");
}

TEST_F(Framing, N05_AnOptionsGoesNoFurtherThanItMay) {
  const auto options = [](const string& fields) { return request_to("/v1/x", fields, "OPTIONS"); };
  const Response last = ask(options("Max-Forwards: 0\r\n"));
  EXPECT_EQ(last.status, 200);
  EXPECT_EQ(last.body, "");
  EXPECT_EQ(upstream.bytes(), "") << "it went on";
  const auto passed_on = [&](const string& value) {
    return expect_granted(options("Max-Forwards: " + value + "\r\n" + k1.bearer())).fields["max-forwards"];
  };
  EXPECT_EQ(passed_on("3"), "2");
  EXPECT_EQ(passed_on("10"), "9");
  EXPECT_EQ(passed_on("1"), "0");
  for (const string fields :
       {"Max-Forwards: x\r\n", "Max-Forwards: -1\r\n", "Max-Forwards:\r\n", "Max-Forwards: 3\r\nMax-Forwards: 2\r\n"}) {
    expect_denied(options(fields + k1.bearer()), {400, "bad_request", Ending::closed});
  }
  expect_denied(request_to("/v1/x", "Max-Forwards: 0\r\n" + k1.bearer(), "TRACE"), {405, "method_not_allowed"});
  // Of any other method it is the upstream's business (RFC 9110 §7.6.2).
  EXPECT_EQ(expect_granted(request_to("/v1/x", "Max-Forwards: 0\r\n" + k1.bearer())).fields["max-forwards"], "0");
}

TEST_F(Framing, ChunkedIsChunkedInAnyCaseAndWrittenAnew) {
  for (const string value : {"chunked", "Chunked", "CHUNKED  "}) {
    const Request seen = expect_one_request(head("Transfer-Encoding: " + value + "\r\n") +
                                            "5;a=b\r\nhello\r\n00006;x\r\n world\r\n0;last\r\n\r\n");
    EXPECT_EQ(seen.fields["transfer-encoding"], "chunked");
    EXPECT_EQ(seen.body, "hello world");
  }
}

TEST_F(Framing, M13_TrailersAreDropped) {
  const Request seen =
      expect_one_request(head("Transfer-Encoding: chunked\r\nTrailer: X-Org-Id\r\n") +
                         "2\r\nhi\r\n0\r\nX-Org-Id: evil\r\nHost: evil\r\nAuthorization: Bearer evil\r\n\r\n");
  EXPECT_EQ(seen.body, "hi");
  EXPECT_EQ(seen.fields["host"], "api.local");
  EXPECT_EQ(seen.fields.count_alike("X-Org-Id"), 0U);
  EXPECT_FALSE(seen.fields.has("trailer"));
  EXPECT_EQ(upstream.bytes().find("evil"), string::npos);
}

TEST_F(Framing, R03_ABodyIsABodyWhateverItLooksLike) {
  for (const string method : {"GET", "POST", "DELETE", "OPTIONS"}) {
    const Request seen = expect_one_request(request_with_body("/public/x", smuggled, "", method));
    EXPECT_EQ(seen.method, method);
    EXPECT_EQ(seen.body, smuggled);
  }
  EXPECT_EQ(expect_one_request(request_with_body("/public/x", "", "", "GET")).body, "");
}

TEST_F(Framing, R02_NoTransferEncodingMakesTwoRequestsOfOne) {
  // The body of a chunked request, taken for a request by who ignores the coding.
  const string chunk = smuggled;
  char size[17];
  std::snprintf(size, sizeof size, "%zx", chunk.size());
  EXPECT_EQ(expect_one_request(head("Transfer-Encoding: chunked\r\n") + size + "\r\n" + chunk + "\r\n0\r\n\r\n").body,
            smuggled);
}

TEST_F(Framing, R08_AnHttp10RequestWithoutALengthHasNoBodyAndNoSuccessor) {
  RawClient client = keygate.connect();
  client.send("POST /public/x HTTP/1.0\r\nHost: api.local\r\nConnection: keep-alive\r\n\r\n" + smuggled);
  const Response response = client.read_response();
  EXPECT_TRUE(response.status == 400 || response.status == 200) << response.status;
  EXPECT_TRUE(client.is_ended(std::chrono::seconds(5))) << shown(client.unread());
  EXPECT_EQ(upstream.bytes().find("smuggled"), string::npos);
}

TEST_F(Framing, R09_TheBodyOfADeniedRequestIsNeverReadAsARequest) {
  for (const string& fields : {string("Content-Length: " + std::to_string(smuggled.size()) + "\r\n"),
                               string("Transfer-Encoding: chunked\r\n")}) {
    upstream.forget();
    const bool is_chunked = fields.starts_with("Transfer");
    char size[17];
    std::snprintf(size, sizeof size, "%zx", smuggled.size());
    const string body = is_chunked ? size + string("\r\n") + smuggled + "\r\n0\r\n\r\n" : smuggled;
    RawClient client = keygate.connect();
    client.send(head(fields, "POST /v1/x HTTP/1.1") + body + request_to("/public/next"));
    EXPECT_EQ(client.read_response().status, 401);
    // Either the body was passed over and the next request is answered, or nothing more is.
    string rest;
    try {
      const Response next = client.read_response();
      EXPECT_EQ(next.status, 200);
      EXPECT_EQ(upstream.only_request().target, "/public/next");
    } catch (const std::runtime_error&) {
      EXPECT_EQ(upstream.bytes(), "");
    }
    EXPECT_EQ(upstream.bytes().find("smuggled"), string::npos);
  }
}

TEST_F(Framing, M15_ALargeBodyBehindADenialIsNeverReadAsARequest) {
  RawClient client = keygate.connect();
  string body;
  while (body.size() < 2'000'000) {
    body += smuggled;
  }
  client.send(head("Content-Length: 10000000\r\n", "POST /v1/x HTTP/1.1"));
  expect_problem(client.read_response(), 401, "missing_credential");
  client.send(body);
  EXPECT_TRUE(client.is_ended(std::chrono::seconds(10))) << shown(client.unread());
  EXPECT_EQ(upstream.bytes(), "");
}

TEST_F(Framing, R10_ConnectWithABodyOpensNothing) {
  expect_denied(head("Content-Length: 5\r\n", "CONNECT api.local:443 HTTP/1.1") + "hello",
                {405, "method_not_allowed", Ending::closed});
  expect_denied("CONNECT 127.0.0.1:" + std::to_string(upstream.port()) +
                    " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(upstream.port()) + "\r\n\r\n",
                {405, "method_not_allowed", Ending::closed});
}

TEST_F(Framing, N06_TraceEchoesNothing) {
  expect_denied(request_to("/v1/x", k1.bearer(), "TRACE"), {405, "method_not_allowed", Ending::any});
}

TEST_F(Framing, N09_OnlyOneExpectationIsKnown) {
  for (const std::string_view value : {"foo", "y 100-continue", "100-continue, foo"}) {
    expect_denied(request_with_body("/public/x", "hi", "Expect: " + string(value) + "\r\n"),
                  {417, "expectation_failed", Ending::any});
  }
}

TEST_F(Framing, M11_AnIncompleteBodyIsNeverCompleted) {
  {
    RawClient client = keygate.connect();
    client.send(head("Content-Length: 10\r\n") + "abc");
    EXPECT_TRUE(eventually([&] { return upstream.bytes().find("abc") != string::npos; }));
    client.finish_sending();
    EXPECT_TRUE(eventually([&] { return upstream.open_connections() == 0; })) << "the upstream's connection was kept";
  }
  EXPECT_TRUE(upstream.requests().empty());
  EXPECT_TRUE(upstream.has_partial_request());
}

TEST_F(Framing, M18_NothingIsReadBehindConnectionClose) {
  RawClient client = keygate.connect();
  client.send(request_to("/public/x", "Connection: close\r\n") + smuggled);
  const Response response = client.read_response();
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.fields.lists("connection", "close"));
  EXPECT_TRUE(client.is_ended(std::chrono::seconds(5))) << shown(client.unread());
  EXPECT_EQ(upstream.only_request().target, "/public/x");
}

TEST_F(Framing, U04_UpgradesAreDroppedAndTheRequestGoesOn) {
  for (const string fields :
       {"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Connection: Upgrade\r\nUpgrade: foo/2\r\n"}) {
    const Request seen = expect_one_request(head(fields, "GET /public/x HTTP/1.1"));
    EXPECT_FALSE(seen.fields.has("upgrade"));
    EXPECT_FALSE(seen.fields.has("http2-settings"));
    EXPECT_FALSE(seen.fields.lists("connection", "upgrade"));
  }
}

TEST_F(Framing, U01_WhatFollowsAnUpgradeIsARequestLikeAnyOther) {
  RawClient client = keygate.connect();
  client.send(request_to("/public/x", "Connection: Upgrade\r\nUpgrade: h2c\r\n") + request_to("/admin/x"));
  EXPECT_EQ(client.read_response().status, 200);
  expect_problem(client.read_response(), 401, "missing_credential");
  EXPECT_EQ(upstream.only_request().target, "/public/x");
}

// A body announced beside a handshake is refused or sent as a body; never relayed as something else.
TEST_F(Framing, AWebSocketHandshakeWithABodyIsNoTunnel) {
  RawClient client = keygate.connect();
  client.send(head("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                   "dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: " +
                       std::to_string(smuggled.size()) + "\r\n",
                   "GET /public/x HTTP/1.1") +
              smuggled);
  const Response response = client.read_response();
  if (response.status == 400) {
    EXPECT_TRUE(client.is_ended(std::chrono::seconds(5)));
    EXPECT_EQ(upstream.bytes(), "");
  } else {
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(upstream.only_request().body, smuggled);
    EXPECT_FALSE(upstream.only_request().fields.has("upgrade"));
  }
}

}  // namespace
}  // namespace keygate::test
