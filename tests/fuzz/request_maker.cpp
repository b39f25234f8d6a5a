#include "tests/fuzz/request_maker.hpp"

#include <algorithm>
#include <utility>

namespace keygate::fuzz {
namespace {

// What is mostly taken, and behind it what is mostly refused.
constexpr std::string_view methods[] = {"GET", "GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH"};
constexpr std::string_view odd_methods[] = {"CONNECT", "TRACE", "get", "BREW", "PRI", "M-SEARCH"};
constexpr std::string_view targets[] = {"/",
                                        "/a",
                                        "/a/b?c=d",
                                        "/?",
                                        "/a?api_key=k&b",
                                        "/%7Euser",
                                        "/a%20b",
                                        "/caf%C3%A9",
                                        "/a?b?c",
                                        "http://a.example/b",
                                        "HTTP://a.example",
                                        "/a=:@!$&'()*+,",
                                        "/%41%2d",
                                        "/a?x=[]&y=%zz",
                                        "/a?x=/../;"};
constexpr std::string_view odd_targets[] = {"/a//b", "/..", "/a;b", "*", "a:80", "/\"", "/a#b", "/\x7f", "https://b"};
constexpr std::string_view versions[] = {"HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"};
constexpr std::string_view odd_versions[] = {"HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.01", "HTTP/1.1 "};
constexpr std::string_view hosts[] = {"a.example", "a", "a:80", "[::1]", "[::1]:8080", "A.Example."};
constexpr std::string_view odd_hosts[] = {"a, b", "", "a/b", "a b", "a:b", "a:80:80"};
constexpr std::string_view names[] = {"Accept",
                                      "Cookie",
                                      "User-Agent",
                                      "X-A",
                                      "x_a",
                                      "!#$%&'*+-.^_`|~9",
                                      "Authorization",
                                      "X-Api-Key",
                                      "X-Org-Id",
                                      "TE",
                                      "Trailer",
                                      "Keep-Alive",
                                      "Upgrade",
                                      "Connection",
                                      "Proxy-Connection",
                                      "Via",
                                      "Forwarded",
                                      "X-Forwarded-For",
                                      "Content-Type",
                                      "Content_Length",
                                      "Range",
                                      "Transfer_Encoding",
                                      "Content-Encoding",
                                      "Set-Cookie",
                                      "If-None-Match",
                                      "HTTP2-Settings",
                                      "Max-Forwards",
                                      "Date",
                                      "Proxy-Authorization",
                                      "X-Http-Method-Override"};
constexpr std::string_view odd_names[] = {"Content-Length", "Transfer-Encoding", "Host",
                                          "Expect",         "Sec-WebSocket-Key", ""};
constexpr std::string_view values[] = {"a",
                                       "",
                                       " ",
                                       "\t",
                                       "a b",
                                       " a ",
                                       "a\t",
                                       "\ta",
                                       "a,b",
                                       "a;q=0.5",
                                       "session=x; b=c",
                                       "Bearer kg_a",
                                       "close",
                                       "keep-alive",
                                       "upgrade",
                                       "Upgrade, close",
                                       "close, upgrade",
                                       "websocket",
                                       "h2c",
                                       "chunked",
                                       "gzip, chunked",
                                       "0",
                                       "10",
                                       "100-continue",
                                       "trailers",
                                       "X-A",
                                       "caf\xC3\xA9",
                                       "\xE9\xFF",
                                       "\"a\\\"b\"",
                                       "13",
                                       "a:b",
                                       ":",
                                       "http://a/",
                                       "1.1 keygate"};
constexpr std::string_view odd_values[] = {"Chunked",
                                           "chunked, chunked",
                                           "identity",
                                           "+1",
                                           "01",
                                           "1,1",
                                           "0x1",
                                           "content-length",
                                           "transfer-encoding, a",
                                           "host",
                                           "chunked\t",
                                           "chunked ",
                                           "\tchunked",
                                           "5\t",
                                           "dGhlIHNhbXBsZSBub25jZQ=="};
constexpr std::string_view odd[] = {"\r\n",
                                    "\r",
                                    "\n",
                                    " ",
                                    "\t",
                                    ":",
                                    ",",
                                    "\r\n ",
                                    "\r\n\t",
                                    "\r\n\r\n",
                                    "\n\n",
                                    "\v",
                                    "\f",
                                    "\x7f",
                                    "\x80",
                                    "\xff",
                                    "#",
                                    "\\",
                                    ";",
                                    "\"",
                                    "0",
                                    "-",
                                    "_",
                                    "GET / HTTP/1.1\r\n",
                                    "Content-Length: 5\r\n",
                                    "Transfer-Encoding: chunked\r\n",
                                    "Host: b\r\n",
                                    "Connection: close\r\n",
                                    "0\r\n\r\n",
                                    "5\r\nhello\r\n",
                                    ";a=b",
                                    "HTTP/1.1",
                                    "chunked"};

}  // namespace

RequestMaker::RequestMaker(std::uint64_t seed, std::vector<std::string> kept, std::vector<std::string> bodies)
    : random_(seed), kept_(std::move(kept)), bodies_(std::move(bodies)) {}

std::size_t RequestMaker::below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }

std::string RequestMaker::field() {
  std::string line(usual(names, odd_names));
  line += is_one_in(80) ? " :" : ":";
  line += is_one_in(8) ? "" : " ";
  line += usual(values, odd_values);
  return line + "\r\n";
}

std::string RequestMaker::chunks() {
  constexpr std::string_view digits = "0123456789abcdefABCDEF";
  std::string text;
  for (std::size_t left = below(4); left > 0; --left) {
    const std::size_t size = is_one_in(6) ? 1 + below(40) : 1 + below(12);
    const std::string padding(is_one_in(6) ? 1 + below(4) : 0, '0');
    std::string hex;
    for (std::size_t rest = size; rest > 0; rest /= 16) hex.insert(hex.begin(), digits[rest % 16]);
    text += padding + hex + (is_one_in(8) ? ";a=\"b\"" : "") + "\r\n" + std::string(size, 'x') + "\r\n";
  }
  text += std::string(1 + (is_one_in(8) ? below(3) : 0), '0') + "\r\n";
  if (is_one_in(6)) text += "X-T: a\r\n";
  return text + "\r\n";
}

// The fields that say how long the body is, the empty line, and the body.
std::string RequestMaker::with_body() {
  switch (below(8)) {
    case 0:
    case 1: {
      const std::size_t size = below(30);
      return "Content-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'y');
    }
    case 2:
      return "Transfer-Encoding: chunked\r\n\r\n" + chunks();
    case 3:
      return "Transfer-Encoding: chunked\r\n\r\n" + (bodies_.empty() ? chunks() : bodies_[below(bodies_.size())]);
    default:
      return "\r\n";
  }
}

std::string RequestMaker::made() {
  std::string text(is_one_in(20) ? "\r\n" : "");
  text += std::string(usual(methods, odd_methods)) + " " + std::string(usual(targets, odd_targets)) + " " +
          std::string(usual(versions, odd_versions)) + "\r\n";
  if (!is_one_in(60)) text += "Host: " + std::string(is_one_in(3) ? usual(hosts, odd_hosts) : "a.example") + "\r\n";
  if (is_one_in(12)) {
    text +=
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  }
  const std::size_t count = is_one_in(100) ? below(110) : below(5);
  for (std::size_t left = count; left > 0; --left) text += field();
  return text + with_body();
}

// A line is doubled, left out or put elsewhere.
void RequestMaker::spoil_line(std::string& text) {
  std::vector<std::size_t> starts{0};
  for (std::size_t at = text.find("\r\n"); at != std::string::npos; at = text.find("\r\n", at + 2))
    starts.push_back(at + 2);
  if (starts.size() < 3) return;
  const std::size_t which = below(starts.size() - 1);
  const std::string line = text.substr(starts[which], starts[which + 1] - starts[which]);
  if (is_one_in(2)) text.erase(starts[which], line.size());
  if (is_one_in(2)) text.insert(std::min(starts[below(starts.size())], text.size()), line);
}

void RequestMaker::spoil(std::string& text) {
  if (text.empty()) return;
  const std::size_t at = below(text.size());
  switch (below(8)) {
    case 0:
      text[at] = static_cast<char>(below(256));
      return;
    case 1:
      text[at] = static_cast<char>(text[at] ^ static_cast<char>(1U << below(8)));
      return;
    case 2:
    case 3:
      text.insert(at, is_one_in(34) ? std::string(1, '\0') : std::string(one_of(odd)));
      return;
    case 4:
      text.erase(at, 1 + below(3));
      return;
    case 5:
      text.resize(at);
      return;
    case 6: {
      const std::size_t end = std::min(text.size(), at + below(30));
      for (std::size_t i = at; i < end; ++i) {
        const bool is_letter = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z');
        if (is_letter) text[i] = static_cast<char>(text[i] ^ 0x20);
      }
      return;
    }
    default:
      return spoil_line(text);
  }
}

std::string RequestMaker::next() {
  std::string text;
  for (std::size_t left = is_one_in(3) ? 1 + below(4) : 1; left > 0; --left) {
    text += !kept_.empty() && is_one_in(4) ? kept_[below(kept_.size())] : made();
  }
  for (std::size_t left = is_one_in(2) ? 0 : below(3); left > 0; --left) spoil(text);
  return text;
}

}  // namespace keygate::fuzz
