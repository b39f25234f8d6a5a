// Two other readings of the same bytes, one written here from RFC 9112 and one Beast's own: whatever the gate lets
// through, they read the same request.
#include "proxy/request_head.hpp"
#include "tests/unit/proxy/heads.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::proxy {
namespace {

namespace http = boost::beast::http;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int rounds = 10'000;
#else
constexpr int rounds = 100'000;
#endif

// --- The strict reading
// -----------------------------------------------------------------------------------------------------

struct Reading {
  std::string method, target;
  std::size_t fields = 0;
  bool is_chunked = false;
  std::optional<std::uint64_t> length;
};

std::string lowered(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return text;
}

bool is_token(const std::string& text) {
  static const std::string allowed = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return !text.empty() && text.find_first_not_of(allowed) == std::string::npos;
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::vector<std::string>> lines_of(const std::string& head) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at < head.size()) {
    const auto end = head.find("\r\n", at);
    if (end == std::string::npos) return std::nullopt;
    lines.push_back(head.substr(at, end - at));
    if (lines.back().find_first_of(std::string("\r\n\0", 3)) != std::string::npos) return std::nullopt;
    at = end + 2;
  }
  if (lines.size() < 2 || !lines.back().empty()) return std::nullopt;
  lines.pop_back();
  return lines;
}

bool read_field(const std::string& line, Reading& reading) {
  const auto colon = line.find(':');
  if (colon == std::string::npos || !is_token(line.substr(0, colon))) return false;
  const std::string name = lowered(line.substr(0, colon));
  const std::string value = trimmed(line.substr(colon + 1));
  ++reading.fields;
  if (name == "transfer-encoding") {
    if (reading.is_chunked || lowered(value) != "chunked") return false;
    reading.is_chunked = true;
  }
  if (name == "content-length") {
    const bool is_number = !value.empty() && value.find_first_not_of("0123456789") == std::string::npos;
    if (reading.length || !is_number || value.size() > 18) return false;
    reading.length = std::stoull(value);
  }
  return true;
}

std::optional<Reading> strict_reading(const std::string& head) {
  const auto lines = lines_of(head);
  if (!lines) return std::nullopt;
  const std::string& start = lines->front();
  const auto first = start.find(' ');
  const auto second = start.find(' ', first + 1);
  if (first == std::string::npos || second == std::string::npos) return std::nullopt;
  const std::string version = start.substr(second + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return std::nullopt;
  Reading reading{start.substr(0, first), start.substr(first + 1, second - first - 1), 0, false, {}};
  if (!is_token(reading.method) || reading.target.empty()) return std::nullopt;
  for (std::size_t i = 1; i < lines->size(); ++i) {
    if (!read_field((*lines)[i], reading)) return std::nullopt;
  }
  if (reading.is_chunked && (reading.length || version == "HTTP/1.0")) return std::nullopt;
  return reading;
}

// --- Heads that are nearly right
// --------------------------------------------------------------------------------------------

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t end) {
  return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
}

const std::vector<std::string>& seeds() {
  static const std::vector<std::string> heads = {
      "GET /v1/things?limit=10 HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\nUser-Agent: t/1\r\n\r\n",
      "POST /v1/things HTTP/1.1\r\nHost: a.example\r\nContent-Type: a/b\r\nContent-Length: 11\r\n\r\n",
      "PUT /v1/things HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
      "DELETE /x HTTP/1.0\r\nHost: a\r\nConnection: close\r\nCookie: a=b; c=d\r\n\r\n",
      "GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, x-y\r\nX-Y: 1\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\nVia: 1.1 b\r\nTE: trailers\r\n\r\n",
      "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  };
  return heads;
}

constexpr std::array<std::string_view, 22> lines_to_add = {"Transfer-Encoding: chunked\r\n",
                                                           "Transfer-Encoding: identity\r\n",
                                                           "Transfer-Encoding:\r\n chunked\r\n",
                                                           "transfer-encoding: CHUNKED \r\n",
                                                           "Transfer_Encoding: chunked\r\n",
                                                           "Transfer-Encoding : chunked\r\n",
                                                           "Transfer-Encoding: ,chunked\r\n",
                                                           "Content-Length: 5\r\n",
                                                           "Content-Length: 05\r\n",
                                                           "Content-Length: 5, 5\r\n",
                                                           "Content-Length: +5\r\n",
                                                           "content-length:0\r\n",
                                                           "Content_Length: 5\r\n",
                                                           "Content-Length: 99999999999999999999\r\n",
                                                           "Host: b\r\n",
                                                           "X: 1\r\n\tY: 2\r\n",
                                                           "X: 1\n",
                                                           "X\r\n",
                                                           ": x\r\n",
                                                           "X-A:\r\n",
                                                           "GET /admin HTTP/1.1\r\n",
                                                           "\r\n"};

constexpr std::string_view spicy = "\r\n\t :,;=\"()/?#%@*+-_.\\\x7f\x80\xff\x01 0159aZxX";

// Where some line begins.
std::size_t line_start(Random& random, const std::string& text) {
  const auto end = text.find("\r\n", below(random, text.size()));
  return end == std::string::npos ? text.size() : end + 2;
}

void mutate(Random& random, std::string& text) {
  switch (below(random, 6)) {
    case 0:
      text[below(random, text.size())] = spicy[below(random, spicy.size())];
      break;
    case 1:
      text.insert(below(random, text.size() + 1), 1, spicy[below(random, spicy.size())]);
      break;
    case 2:
      text.erase(below(random, text.size()), 1 + below(random, 2));
      break;
    case 3:
      text.insert(line_start(random, text), lines_to_add[below(random, lines_to_add.size())]);
      break;
    case 4: {  // a line twice
      const auto begin = line_start(random, text);
      const auto end = text.find("\r\n", begin);
      if (end != std::string::npos) text.insert(begin, text.substr(begin, end + 2 - begin));
      break;
    }
    default: {  // a byte of any value
      text[below(random, text.size())] = static_cast<char>(below(random, 256));
      break;
    }
  }
}

std::string next_head(Random& random) {
  std::string text = seeds()[below(random, seeds().size())];
  for (std::size_t i = below(random, 4); i > 0 && text.size() > 4; --i) mutate(random, text);
  std::size_t searched = 0;
  return text.substr(0, head_size(text, searched));
}

// --- The properties
// ---------------------------------------------------------------------------------------------------------

void expect_same(const Reading& reading, const GateResult& gate, const RequestHead& head) {
  EXPECT_EQ(reading.method, head.method_word);
  EXPECT_EQ(reading.target, gate.line.target);
  EXPECT_EQ(reading.fields, head.field_count);
  EXPECT_EQ(reading.is_chunked, head.is_chunked);
  EXPECT_EQ(reading.length.has_value(), head.has_content_length);
  EXPECT_EQ(reading.length.value_or(0), head.content_length);
}

void expect_same_of_beast(const std::string& text, const RequestHead& head) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(std::numeric_limits<std::uint32_t>::max());
  parser.body_limit(boost::none);
  boost::system::error_code error;
  parser.put(boost::asio::buffer(text), error);
  ASSERT_FALSE(error) << error.message();
  ASSERT_TRUE(parser.is_header_done());
  EXPECT_EQ(parser.chunked(), head.is_chunked);
  EXPECT_EQ(parser.content_length().has_value(), head.has_content_length);
  if (head.has_content_length) {
    EXPECT_EQ(parser.content_length().value(), head.content_length);
  }
  EXPECT_EQ(parser.get().method_string(), head.method_word);
}

TEST(RequestProperty, R01_R02_R08_WhateverIsAcceptedIsReadTheSameByOthers) {
  Random random(20'250'611);
  int accepted = 0;
  RequestHead head;
  for (int i = 0; i < rounds; ++i) {
    const std::string original = next_head(random);
    if (original.empty()) continue;
    std::string text = original;
    if (read_request_head(text, {}, testing::default_reserved(), head)) continue;
    ++accepted;
    const auto reading = strict_reading(original);
    ASSERT_TRUE(reading) << ::testing::PrintToString(original);
    expect_same(*reading, pass_request_gate(original, {}), head);
    expect_same_of_beast(original, head);
    ASSERT_FALSE(HasFailure()) << ::testing::PrintToString(original);
  }
  EXPECT_GT(accepted, rounds / 10) << "the heads are too broken to say anything";
  EXPECT_LT(accepted, rounds * 9 / 10) << "the heads are too good to say anything";
}

// Nothing is read beyond the head, and a refusal leaves nothing half read behind.
TEST(RequestProperty, ARandomHeadIsReadWithinItsBytes) {
  Random random(20'250'612);
  RequestHead head;
  for (int i = 0; i < rounds / 10; ++i) {
    std::vector<char> bytes(1 + below(random, 60));
    for (char& c : bytes) c = spicy[below(random, spicy.size())];
    const auto refusal = read_request_head(bytes, {}, testing::default_reserved(), head);
    ASSERT_TRUE(refusal);
    ASSERT_FALSE(head.keep_alive && head.has_body());
  }
}

}  // namespace
}  // namespace keygate::proxy
