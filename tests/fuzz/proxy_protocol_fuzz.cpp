// The PROXY header: what is complete is within its bounds, is read the same however it is cut, says nothing different
// when more comes behind it, and its address is the one that inet_pton or its bytes give.
// Input: what a connection begins with.
#include "proxy/proxy_protocol.hpp"
#include "tests/fuzz/probe.hpp"

#include <arpa/inet.h>
#include <array>
#include <string>

namespace keygate::fuzz {
namespace {

using proxy::ProxyHeader;

bool is_same(const ProxyHeader& one, const ProxyHeader& other) {
  return one.state == other.state && one.client == other.client && one.address == other.address &&
         one.size == other.size;
}

// Of the third blank-separated word of a line.
bool is_address_of_line(std::string_view line, const proxy::Address& address) {
  const auto words = split(line.substr(0, line.find('\r')), ' ');
  if (words.size() != 6) return false;
  std::array<unsigned char, 16> bytes{};
  if (address.is_v4()) {
    const auto own = address.to_v4().to_bytes();
    return words[1] == "TCP4" && inet_pton(AF_INET, std::string(words[2]).c_str(), bytes.data()) == 1 &&
           std::equal(own.begin(), own.end(), bytes.begin());
  }
  const auto own = address.to_v6().to_bytes();
  return words[1] == "TCP6" && inet_pton(AF_INET6, std::string(words[2]).c_str(), bytes.data()) == 1 &&
         std::equal(own.begin(), own.end(), bytes.begin());
}

bool is_address_of_bytes(std::string_view header, const proxy::Address& address) {
  std::string own;
  if (address.is_v4()) {
    for (const unsigned char byte : address.to_v4().to_bytes()) own += static_cast<char>(byte);
  } else {
    for (const unsigned char byte : address.to_v6().to_bytes()) own += static_cast<char>(byte);
  }
  return header.substr(16, own.size()) == own;
}

}  // namespace

void probe(std::string_view input) {
  const ProxyHeader whole = proxy::read_proxy_header(input);
  const bool is_complete = whole.state == ProxyHeader::State::complete;
  hold(whole.size == 0 || is_complete, "only a complete header has a size");
  if (whole.state == ProxyHeader::State::incomplete) {
    hold(input.size() < proxy::max_proxy_header, "nobody waits past the longest header");
  }
  bool is_settled = false;
  for (std::size_t size = 0; size <= input.size() && size <= proxy::max_proxy_header; ++size) {
    const ProxyHeader part = proxy::read_proxy_header(input.substr(0, size));
    if (is_settled) {
      hold(is_same(part, whole), "what is settled stays");
    } else if (part.state != ProxyHeader::State::incomplete) {
      is_settled = true;
      hold(is_same(part, whole), "the parts say what the whole says");
      hold(part.state != ProxyHeader::State::complete || part.size == size, "it is complete with its last byte");
    }
  }
  if (!is_complete) return;
  const bool is_line = input.front() == 'P';
  hold(whole.size <= (is_line ? proxy::max_proxy_header_v1 : proxy::max_proxy_header), "it is within its bound");
  hold(whole.size <= input.size(), "it is within the input");
  if (whole.client == ProxyHeader::Client::known) {
    hold(is_line ? is_address_of_line(input, whole.address) : is_address_of_bytes(input, whole.address),
         "its address is what it says");
  }
}

}  // namespace keygate::fuzz
