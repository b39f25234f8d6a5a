#include "proxy/proxy_protocol.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace keygate::proxy {
namespace {

using State = ProxyHeader::State;
using Client = ProxyHeader::Client;
namespace ip = boost::asio::ip;

constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t fixed_size = 16;  // of version 2: signature, version and command, family, length
constexpr unsigned char crc_type = 0x03;
constexpr std::size_t crc_size = 4;

ProxyHeader of(State state) {
  ProxyHeader header;
  header.state = state;
  return header;
}

ProxyHeader complete(std::size_t size, Client client, const Address& address = {}) {
  ProxyHeader header;
  header.state = State::complete;
  header.client = client;
  header.address = address;
  header.size = size;
  return header;
}

// Both are beginnings of one another as far as they go.
bool may_become(std::string_view bytes, std::string_view whole) {
  const std::size_t common = std::min(bytes.size(), whole.size());
  return bytes.substr(0, common) == whole.substr(0, common);
}

// Up to the next blank; nullopt: there is none, or nothing before it.
std::optional<std::string_view> take_word(std::string_view& line) {
  const std::size_t blank = std::min(line.find(' '), line.size());
  if (blank == 0) {
    return std::nullopt;
  }
  const std::string_view word = line.substr(0, blank);
  line = blank == line.size() ? std::string_view{} : line.substr(blank + 1);
  return word;
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool is_canonical = text.size() == 1 || text.front() != '0';
  return fault == std::errc{} && rest == text.data() + text.size() && is_canonical && port <= 65'535;
}

std::optional<Address> address_in(std::string_view text, bool is_v6) {
  if (text.find('%') != std::string_view::npos) {  // a zone is this machine's own affair
    return std::nullopt;
  }
  boost::system::error_code error;
  const Address address = ip::make_address(std::string(text), error);
  return error || address.is_v6() != is_v6 ? std::nullopt : std::optional(address);
}

// "TCP4 192.0.2.1 198.51.100.1 56324 443"
ProxyHeader read_line(std::string_view line, std::size_t size) {
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) {
    return complete(size, Client::unknown);
  }
  const bool is_v6 = line.starts_with("TCP6 ");
  if (!is_v6 && !line.starts_with("TCP4 ")) {
    return of(State::invalid);
  }
  const bool ends_in_blank = line.ends_with(' ');
  line.remove_prefix(5);
  std::array<std::string_view, 4> words;
  for (std::string_view& word : words) {
    const auto next = take_word(line);
    if (!next) {
      return of(State::invalid);
    }
    word = *next;
  }
  const auto source = address_in(words[0], is_v6), destination = address_in(words[1], is_v6);
  const bool is_whole = source && destination && is_port(words[2]) && is_port(words[3]);
  if (!is_whole || !line.empty() || ends_in_blank) {
    return of(State::invalid);
  }
  return complete(size, Client::known, *source);
}

ProxyHeader read_v1(std::string_view bytes) {
  constexpr std::string_view word = "PROXY ";
  if (!may_become(bytes, word)) {
    return of(State::invalid);
  }
  const std::size_t end = bytes.substr(0, max_proxy_header_v1).find('\n');
  if (end == std::string_view::npos) {
    return of(bytes.size() >= max_proxy_header_v1 ? State::invalid : State::incomplete);
  }
  if (end < word.size() + 1 || bytes[end - 1] != '\r') {
    return of(State::invalid);
  }
  const std::string_view line = bytes.substr(word.size(), end - 1 - word.size());
  return line.find('\r') == std::string_view::npos ? read_line(line, end + 1) : of(State::invalid);
}

unsigned char byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

std::size_t number_at(std::string_view bytes, std::size_t at) {
  return std::size_t{byte_at(bytes, at)} << 8U | byte_at(bytes, at + 1);
}

// CRC-32C (Castagnoli) over the header with zeros where the checksum itself stands.
std::uint32_t checksum(std::string_view header, std::size_t zeros_at) {
  std::uint32_t sum = 0xFFFFFFFFU;
  for (std::size_t i = 0; i < header.size(); ++i) {
    sum ^= i >= zeros_at && i < zeros_at + crc_size ? 0U : byte_at(header, i);
    for (int bit = 0; bit < 8; ++bit) {
      sum = (sum >> 1U) ^ (0x82F63B78U & (0U - (sum & 1U)));
    }
  }
  return ~sum;
}

// Extensions are walked through to see that they end where the header does, and for the one that vouches for the rest.
bool are_extensions_sound(std::string_view header, std::size_t at) {
  bool has_sum = false;
  while (at < header.size()) {
    if (header.size() - at < 3 || header.size() - at - 3 < number_at(header, at + 1)) {
      return false;
    }
    const std::size_t size = number_at(header, at + 1), value = at + 3;
    if (byte_at(header, at) == crc_type) {
      const bool has_place = !has_sum && size == crc_size;
      if (!has_place) {
        return false;
      }
      const auto said = static_cast<std::uint32_t>(number_at(header, value) << 16U | number_at(header, value + 2));
      if (said != checksum(header, value)) {
        return false;
      }
      has_sum = true;
    }
    at = value + size;
  }
  return true;
}

template <class Version>
Address address_at(std::string_view bytes) {
  typename Version::bytes_type raw{};
  for (std::size_t i = 0; i < raw.size(); ++i) {
    raw[i] = byte_at(bytes, fixed_size + i);
  }
  return Version(raw);
}

ProxyHeader read_v2(std::string_view bytes) {
  if (!may_become(bytes, signature)) {
    return of(State::invalid);
  }
  if (bytes.size() < fixed_size) {
    return of(State::incomplete);
  }
  const unsigned version = byte_at(bytes, 12) >> 4U, command = byte_at(bytes, 12) & 15U;
  const unsigned family = byte_at(bytes, 13) >> 4U, transport = byte_at(bytes, 13) & 15U;
  const std::size_t size = fixed_size + number_at(bytes, 14);
  const bool is_local = command == 0;  // what it says of addresses is to be ignored, whatever it is
  const bool is_family_known = is_local || (family <= 3 && transport <= 2);
  if (version != 2 || command > 1 || !is_family_known || size > max_proxy_header) {
    return of(State::invalid);
  }
  if (bytes.size() < size) {
    return of(State::incomplete);
  }
  if (is_local) {
    return complete(size, Client::sender);
  }
  constexpr std::array<std::size_t, 4> address_sizes = {0, 12, 36, 216};  // none, IPv4, IPv6, unix
  const std::size_t extensions = fixed_size + address_sizes[family];
  const std::string_view header = bytes.substr(0, size);
  if (extensions > size || !are_extensions_sound(header, extensions)) {
    return of(State::invalid);
  }
  const bool is_stream = transport == 1;
  if (!is_stream || family == 0 || family == 3) {
    return complete(size, Client::unknown);
  }
  return complete(size, Client::known,
                  family == 1 ? address_at<ip::address_v4>(header) : address_at<ip::address_v6>(header));
}

}  // namespace

ProxyHeader read_proxy_header(std::string_view bytes) {
  if (bytes.empty()) {
    return of(State::incomplete);
  }
  return bytes.front() == '\r' ? read_v2(bytes) : read_v1(bytes);
}

}  // namespace keygate::proxy
