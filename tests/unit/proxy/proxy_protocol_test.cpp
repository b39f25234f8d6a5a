#include "proxy/proxy_protocol.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keygate::proxy {
namespace {

using State = ProxyHeader::State;
using Client = ProxyHeader::Client;

const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);
const std::string addresses("\xC0\x00\x02\x01\xC6\x33\x64\x01\xDC\x04\x01\xBB",
                            12);  // 192.0.2.1 198.51.100.1 56324 443

std::string version2(char command, char family, const std::string& block) {
  const std::string size{static_cast<char>(block.size() >> 8U), static_cast<char>(block.size() & 255U)};
  return signature + command + family + size + block;
}

std::string extension(char type, const std::string& value) {
  return std::string{type, static_cast<char>(value.size() >> 8U), static_cast<char>(value.size() & 255U)} + value;
}

// What is read, in words: "192.0.2.1 45", "sender 15", "unknown 15", "invalid", "incomplete".
std::string read(const std::string& bytes) {
  const ProxyHeader header = read_proxy_header(bytes);
  if (header.state != State::complete) return header.state == State::invalid ? "invalid" : "incomplete";
  const std::string who = header.client == Client::known    ? header.address.to_string()
                          : header.client == Client::sender ? "sender"
                                                            : "unknown";
  return who + " " + std::to_string(header.size);
}

TEST(ProxyHeaderV1, A14_SaysWhoConnects) {
  EXPECT_EQ(read("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"), "192.0.2.1 45");
  EXPECT_EQ(read("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET / HTTP/1.1\r\n"), "192.0.2.1 45");
  EXPECT_EQ(read("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n"), "2001:db8::1 36");
  EXPECT_EQ(read("PROXY UNKNOWN\r\n"), "unknown 15");
  EXPECT_EQ(read("PROXY UNKNOWN ffff::1 whatever\r\n"), "unknown 32");
}

TEST(ProxyHeaderV1, A14_IsStrict) {
  for (const char* line : {"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 1\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 \r\n",
                           "PROXY  TCP4 192.0.2.1 198.51.100.1 1 2\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.1 056 443\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.1 -1 443\r\n",
                           "PROXY TCP4 2001:db8::1 ::1 1 2\r\n",
                           "PROXY TCP6 192.0.2.1 198.51.100.1 1 2\r\n",
                           "PROXY TCP6 fe80::1%1 ::1 1 2\r\n",
                           "PROXY TCP4 192.0.2 198.51.100.1 1 2\r\n",
                           "PROXY TCP4 192.0.2.1 example.com 1 2\r\n",
                           "PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n",
                           "PROXY UNKNOWNS\r\n",
                           "PROXY \r\n",
                           "proxy UNKNOWN\r\n",
                           "PROXY\tUNKNOWN\r\n",
                           "PROXY UNKNOWN \r\r\n",
                           "GET / HTTP/1.1\r\n",
                           "X"}) {
    EXPECT_EQ(read(line), "invalid") << line;
  }
}

TEST(ProxyHeaderV1, A14_HasAtMost107Bytes) {
  EXPECT_EQ(read("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n"), "unknown 107");
  EXPECT_EQ(read("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n"), "invalid");
  EXPECT_EQ(read("PROXY UNKNOWN " + std::string(92, 'x')), "incomplete");
  EXPECT_EQ(read("PROXY UNKNOWN " + std::string(93, 'x')), "invalid");
}

TEST(ProxyHeaderV2, A14_SaysWhoConnects) {
  EXPECT_EQ(read(version2('\x21', '\x11', addresses)), "192.0.2.1 28");
  EXPECT_EQ(read(version2('\x21', '\x11', addresses) + "\x16\x03\x01"), "192.0.2.1 28");
  EXPECT_EQ(read(version2('\x21', '\x21', std::string(15, '\0') + '\1' + std::string(20, '\0'))), "::1 52");
  EXPECT_EQ(read(version2('\x21', '\x31', std::string(216, '\0'))), "unknown 232");
  EXPECT_EQ(read(version2('\x21', '\x00', "")), "unknown 16");
  EXPECT_EQ(read(version2('\x21', '\x12', addresses)), "unknown 28");  // a datagram's
}

TEST(ProxyHeaderV2, A14_LocalIsTheBalancerItself) {
  EXPECT_EQ(read(version2('\x20', '\x00', "")), "sender 16");
  EXPECT_EQ(read(version2('\x20', '\x11', addresses)), "sender 28");
  EXPECT_EQ(read(version2('\x20', '\x7F', "abc")), "sender 19");  // to be ignored, whatever it is
}

TEST(ProxyHeaderV2, A14_IsStrict) {
  EXPECT_EQ(read(version2('\x11', '\x11', addresses)), "invalid");  // version 1 in the form of version 2
  EXPECT_EQ(read(version2('\x22', '\x11', addresses)), "invalid");  // no such command
  EXPECT_EQ(read(version2('\x21', '\x41', addresses)), "invalid");  // nor family
  EXPECT_EQ(read(version2('\x21', '\x13', addresses)), "invalid");  // nor transport
  EXPECT_EQ(read(version2('\x21', '\x11', addresses.substr(1))), "invalid");
  EXPECT_EQ(read("\r\nGET / HTTP/1.1\r\n"), "invalid");
}

TEST(ProxyHeaderV2, A14_HasAtMost536Bytes) {
  EXPECT_EQ(read(version2('\x21', '\x11', addresses + extension('\x04', std::string(505, '\0')))), "192.0.2.1 536");
  EXPECT_EQ(read(version2('\x21', '\x11', addresses + extension('\x04', std::string(506, '\0')))), "invalid");
  EXPECT_EQ(read(version2('\x20', '\x00', std::string(521, '\0')).substr(0, 16)), "invalid");  // before it has come
}

TEST(ProxyHeaderV2, A14_ItsExtensionsEndWhereItDoes) {
  EXPECT_EQ(read(version2('\x21', '\x11', addresses + extension('\x02', "abc"))), "192.0.2.1 34");
  EXPECT_EQ(read(version2('\x21', '\x11', addresses + extension('\x02', "abc") + "\x02")), "invalid");
  EXPECT_EQ(read(version2('\x21', '\x11', addresses + std::string("\x02\x00\x04", 3) + "abc")), "invalid");
}

TEST(ProxyHeaderV2, A14_AChecksumHasToBeRight) {
  // CRC-32C of the 35 bytes with zeros in its place, as another program gives it.
  const std::string head = version2('\x21', '\x11', addresses + extension('\x03', std::string(4, '\0')));
  std::string right = head;
  right.replace(31, 4, std::string("\x73\x7E\xE9\x19", 4));
  EXPECT_EQ(read(right), "192.0.2.1 35");
  EXPECT_EQ(read(head), "invalid");
  for (std::size_t at = 16; at < right.size(); ++at) {
    if (at == 28) continue;  // the extension's type: another one is no checksum
    std::string spoilt = right;
    spoilt[at] = static_cast<char>(spoilt[at] ^ 1);
    EXPECT_NE(read(spoilt).substr(0, 10), "192.0.2.1 ") << at;
  }
  EXPECT_EQ(read(version2('\x21', '\x11', addresses + extension('\x03', "abc"))), "invalid");
}

TEST(ProxyHeader, A14_IsIncompleteUntilItsLastByte) {
  for (const std::string& whole : {std::string("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"),
                                   version2('\x21', '\x11', addresses + extension('\x02', "abc"))}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_EQ(read(whole.substr(0, size)), "incomplete") << size;
    }
    EXPECT_EQ(read(whole).substr(0, 10), "192.0.2.1 ");
  }
}

}  // namespace
}  // namespace keygate::proxy
