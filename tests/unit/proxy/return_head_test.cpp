#include "proxy/return_head.hpp"

#include "tests/unit/proxy/heads.hpp"
#include "tests/unit/proxy/responses.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace keygate::proxy {
namespace {

using testing::HeadText;
using testing::response_with;
using testing::ResponseText;
using Source = config::CredentialSource::Kind;

const std::string http11 = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string http10 = "GET / HTTP/1.0\r\nHost: a\r\n\r\n";

struct How {
  bool closes = false;
  bool by_key = false;
  Source source = Source::bearer;
};

// The head that the client gets for the upstream's.
std::string returned(const std::string& response, const std::string& request = http11, const How& how = {}) {
  const HeadText asked(request);
  const ResponseText read(response, asked.head().method);
  EXPECT_FALSE(read.flaw()) << *read.flaw();
  const ReturnFacts facts{.response = read.head(),
                          .request = asked.head(),
                          .delivery = delivery_of(read.head(), asked.head()),
                          .closes = how.closes,
                          .is_granted_by_key = how.by_key,
                          .key_source = how.source};
  std::vector<char> room(return_head_bound(read.head()));
  const std::size_t size = write_return_head(facts, room);
  EXPECT_LE(size, room.size());
  return {room.data(), size};
}

TEST(ReturnHead, IsExactlyThis) {
  EXPECT_EQ(
      returned(response_with("Date: now\r\nConnection: close, x-hop\r\nX-Hop: 1\r\ncontent-length: 5\r\n"
                             "Keep-Alive: timeout=5\r\nset-cookie: a\r\nSet-Cookie:  b \r\nWWW-Authenticate: Basic\r\n",
                             "HTTP/1.0 401 Who are you")),
      "HTTP/1.1 401 Who are you\r\n"
      "Date: now\r\n"
      "set-cookie: a\r\n"
      "Set-Cookie: b\r\n"
      "WWW-Authenticate: Basic\r\n"
      "Content-Length: 5\r\n"
      "\r\n");
}

TEST(ReturnHead, N11_OfASwitchSaysWhatWasAgreedOn) {
  const ResponseText read(
      response_with("upgrade: WebSocket\r\nConnection: keep-alive, upgrade, x-hop\r\nX-Hop: 1\r\nContent-Length: 5\r\n"
                    "Sec-WebSocket-Accept: a\r\nSec-WebSocket-Protocol: chat\r\n",
                    "HTTP/1.1 101 Go on"));
  std::vector<char> room(return_head_bound(read.head()));
  const std::size_t size = write_switching_head(read.head(), room);
  EXPECT_EQ(std::string(room.data(), size),
            "HTTP/1.1 101 Go on\r\n"
            "Sec-WebSocket-Accept: a\r\n"
            "Sec-WebSocket-Protocol: chat\r\n"
            "Connection: Upgrade\r\n"
            "Upgrade: websocket\r\n"
            "\r\n");
}

TEST(ReturnHead, M14_HasOneFramingFieldOfOurOwn) {
  EXPECT_EQ(returned(response_with("Transfer-Encoding: CHUNKED\r\n")),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(returned(response_with("Content-Length: 0\r\n")), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

TEST(ReturnHead, ChunksABodyThatEndsByClosing) {
  EXPECT_EQ(returned(response_with("", "HTTP/1.0 200 OK")), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(ReturnHead, M09_NeverChunksForAnHttp10Client) {
  const How closing{.closes = true};
  EXPECT_EQ(returned(response_with("Transfer-Encoding: chunked\r\n"), http10, closing),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(returned(response_with(""), http10, closing), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(returned(response_with("Content-Length: 5\r\n"), http10, closing),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
}

TEST(ReturnHead, N08_SaysTheLengthOfABodyThatHeadLeavesOut) {
  const std::string head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(returned(response_with("Content-Length: 5\r\n"), head), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(returned(response_with("Transfer-Encoding: chunked\r\n"), head), "HTTP/1.1 200 OK\r\n\r\n");
}

TEST(ReturnHead, N08_SaysNoLengthWith204) {
  EXPECT_EQ(returned(response_with("Content-Length: 5\r\n", "HTTP/1.1 204 No Content")),
            "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(returned(response_with("Transfer-Encoding: chunked\r\n", "HTTP/1.1 204 No Content")),
            "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(returned(response_with("Content-Length: 5\r\nETag: a\r\n", "HTTP/1.1 304 Not Modified")),
            "HTTP/1.1 304 Not Modified\r\nETag: a\r\nContent-Length: 5\r\n\r\n");
}

TEST(ReturnHead, HasAStatusLineOfThreePartsWithoutAReason) {
  EXPECT_EQ(returned(response_with("Content-Length: 0\r\n", "HTTP/1.1 200")),
            "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n");
}

TEST(ReturnHead, A05_KeepsSharedCachesFromWhatAKeyGranted) {
  const auto cache_control = [](Source source, bool by_key, const std::string& fields = "") {
    const std::string head = returned(response_with("Content-Length: 0\r\n" + fields), http11, {false, by_key, source});
    const auto at = head.find("Cache-Control: ");
    return at == std::string::npos ? "" : head.substr(at + 15, head.find("\r\n", at) - at - 15);
  };
  EXPECT_EQ(cache_control(Source::bearer, true), "") << "RFC 9111 §3.5 sees to it";
  EXPECT_EQ(cache_control(Source::header, true), "private");
  EXPECT_EQ(cache_control(Source::cookie, true), "private");
  EXPECT_EQ(cache_control(Source::query, true), "private, no-store");
  EXPECT_EQ(cache_control(Source::query, false), "");
  EXPECT_EQ(cache_control(Source::query, true, "Cache-Control: public\r\n"), "public") << "the upstream knows";
}

TEST(Delivery, FollowsTheFramingAndTheClient) {
  const auto delivery = [](const std::string& response, const std::string& request) {
    const HeadText asked(request);
    return delivery_of(ResponseText(response, asked.head().method).head(), asked.head());
  };
  const auto length = response_with("Content-Length: 5\r\n");
  const auto chunked = response_with("Transfer-Encoding: chunked\r\n");
  const auto until_close = response_with("");
  const auto none = response_with("", "HTTP/1.1 204 No Content");
  EXPECT_EQ(delivery(length, http11), BodyDelivery::length);
  EXPECT_EQ(delivery(length, http10), BodyDelivery::length);
  EXPECT_EQ(delivery(chunked, http11), BodyDelivery::chunks);
  EXPECT_EQ(delivery(chunked, http10), BodyDelivery::until_close);
  EXPECT_EQ(delivery(until_close, http11), BodyDelivery::new_chunks);
  EXPECT_EQ(delivery(until_close, http10), BodyDelivery::until_close);
  EXPECT_EQ(delivery(none, http11), BodyDelivery::none);
  EXPECT_EQ(delivery(none, http10), BodyDelivery::none);
}

TEST(InterimHead, N10_GoesOnWithItsFields) {
  const ResponseText read(response_with("Link: </a>; rel=preload\r\nContent-Length: 5\r\nConnection: close\r\n",
                                        "HTTP/1.1 103 Early Hints"));
  std::vector<char> room(return_head_bound(read.head()));
  const std::size_t size = write_interim_head(read.head(), room);
  EXPECT_EQ(std::string(room.data(), size), "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n");
}

TEST(ReturnProperty, AHeadStaysWithinItsBound) {
  std::mt19937 random(20'250'617);
  const auto below = [&](std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random); };
  for (int round = 0; round < 1'000; ++round) {
    std::string fields;
    for (std::size_t i = below(200); i > 0; --i) {
      fields += std::string(1 + below(20), 'n') + ": " + std::string(below(100), 'v') + "\r\n";
    }
    const std::string reason(below(500), 'r');
    const std::string head =
        returned(response_with(fields, "HTTP/1.1 200 " + reason), http11, {true, true, Source::query});
    ASSERT_EQ(response_flaw(head, 256), std::nullopt);
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
}

}  // namespace
}  // namespace keygate::proxy
