#include "config/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

namespace keygate::config {
namespace {

// In network order: 4 bytes or 16.
std::optional<std::vector<unsigned char>> address_bytes(const std::string& text) {
  std::vector<unsigned char> bytes(16);
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes.resize(4);
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return bytes;
  return std::nullopt;
}

std::string address_text(const std::vector<unsigned char>& bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

std::optional<unsigned> small_number(std::string_view text, unsigned most) {
  unsigned number = 0;
  const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || rest != text.data() + text.size() || number > most) return std::nullopt;
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  return number;
}

struct HostAndPort {
  std::string host;
  bool is_bracketed = false;
  std::optional<std::string> port;
};

std::optional<HostAndPort> split_host(const std::string& text) {
  HostAndPort result;
  auto rest = text;
  if (!text.empty() && text[0] == '[') {
    const auto end = text.find(']');
    if (end == std::string::npos) return std::nullopt;
    result.host = text.substr(1, end - 1);
    result.is_bracketed = true;
    rest = text.substr(end + 1);
    if (!rest.empty() && rest[0] != ':') return std::nullopt;
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    result.host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  if (!rest.empty()) result.port = rest.substr(1);
  return result;
}

bool is_v6(const std::string& text) {
  const auto bytes = address_bytes(text);
  return bytes && bytes->size() == 16;
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// A name whose last label is a number is an address to some resolvers (http://3000 is 0.0.11.184), so it must be one.
bool is_host_name(const std::string& host) {
  if (host.empty() || host.size() > 253) return false;
  std::size_t start = 0;
  std::string_view label;
  while (start <= host.size()) {
    const auto end = std::min(host.find('.', start), host.size());
    label = std::string_view(host).substr(start, end - start);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (label.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != label.npos) {
      return false;
    }
    start = end + 1;
  }
  return !all_digits(label);
}

std::string lower(std::string text) {
  for (auto& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

Parsed<std::string> socket_path(const std::string& text) {
  const auto path = text.substr(text.find(':') + 1);
  if (path.empty()) return Fault{quoted(text) + " has no path", "write unix:/run/keygate.sock"};
  if (path.rfind("//", 0) == 0) return Fault{quoted(text) + " begins with two slashes", "write unix:/run/keygate.sock"};
  return path;
}

}  // namespace

Parsed<ListenerSettings> parse_listener_address(const std::string& text) {
  const std::string form = "write host:port, such as 127.0.0.1:8080 or [::1]:8080";
  if (text.rfind("unix:", 0) == 0) {
    auto path = socket_path(text);
    if (auto* fault = std::get_if<Fault>(&path)) return std::move(*fault);
    ListenerSettings listener;
    listener.socket = std::move(std::get<std::string>(path));
    return listener;
  }
  if (all_digits(text)) return Fault{quoted(text) + " has no host", "write 127.0.0.1:" + text + " or 0.0.0.0:" + text};
  if (text[0] == ':' && all_digits(text.substr(1))) {
    return Fault{quoted(text) + " has no host", "write 127.0.0.1" + text + " or 0.0.0.0" + text};
  }
  if (is_v6(text)) return Fault{quoted(text) + " has no port", "an IPv6 address has brackets: [::1]:8080"};
  const auto parts = split_host(text);
  if (!parts) return Fault{quoted(text) + " is not an address to listen on", form};
  if (!parts->port) return Fault{quoted(text) + " has no port", form};
  const auto port = small_number(*parts->port, 65'535);
  if (!port) return Fault{quoted(*parts->port) + " is not a port", "ports go from 0 (any free one) to 65535"};
  const auto bytes = address_bytes(parts->host == "localhost" ? "127.0.0.1" : parts->host);
  if (!bytes || parts->is_bracketed != (bytes->size() == 16)) {
    return Fault{quoted(parts->host) + " is not a numeric address", form};
  }
  ListenerSettings listener;
  listener.host = address_text(*bytes);
  listener.port = static_cast<std::uint16_t>(*port);
  return listener;
}

Parsed<EndpointSettings> parse_endpoint(const std::string& text) {
  const std::string form = "write http://host:port, such as http://127.0.0.1:3000";
  const auto scheme = lower(text.substr(0, std::min(text.find(':'), text.size())));
  if (scheme == "unix") {
    auto path = socket_path(text);
    if (auto* fault = std::get_if<Fault>(&path)) return std::move(*fault);
    EndpointSettings endpoint;
    endpoint.socket = std::move(std::get<std::string>(path));
    return endpoint;
  }
  const bool is_tls = scheme == "https";
  const std::string prefix = is_tls ? "https://" : "http://";
  const bool may_hold_password = text.find('@') != std::string::npos;
  if (lower(text.substr(0, prefix.size())) != prefix) {
    return Fault{(may_hold_password ? "this" : quoted(text)) + " is not an http:// address", form};
  }
  const auto authority = text.substr(prefix.size(), text.find_first_of("/?#", prefix.size()) - prefix.size());
  if (authority.find('@') != std::string::npos) return Fault{"an endpoint has no user name or password", form};
  if (prefix.size() + authority.size() != text.size()) {
    return Fault{"an endpoint has no path", "write " + prefix + authority};
  }
  const auto parts = split_host(authority);
  const bool is_host =
      parts && (parts->is_bracketed ? is_v6(parts->host) : address_bytes(parts->host) || is_host_name(parts->host));
  if (!is_host) return Fault{quoted(authority) + " does not begin with a host name or address", form};
  EndpointSettings endpoint;
  endpoint.host = parts->host;
  endpoint.is_tls = is_tls;
  if (is_tls) endpoint.port = 443;
  if (!parts->port) return endpoint;
  const auto port = small_number(*parts->port, 65'535);
  if (!port || *port == 0) return Fault{quoted(*parts->port) + " is not a port", "ports go from 1 to 65535"};
  endpoint.port = static_cast<std::uint16_t>(*port);
  return endpoint;
}

Parsed<std::string> parse_address_block(const std::string& text) {
  const auto slash = text.find('/');
  const auto bytes = address_bytes(text.substr(0, slash));
  if (!bytes)
    return Fault{quoted(text) + " is not an address or address block", "write 10.0.0.0/8, 192.0.2.7 or ::1/128"};
  if (slash == std::string::npos) return text;
  const auto bits = static_cast<unsigned>(bytes->size() * 8);
  const auto prefix = small_number(text.substr(slash + 1), bits);
  if (!prefix) {
    return Fault{quoted(text.substr(slash + 1)) + " is not a prefix length",
                 "it goes from 0 to " + std::to_string(bits)};
  }
  auto block = *bytes;
  for (unsigned bit = *prefix; bit < bits; ++bit) {
    block[bit / 8] = static_cast<unsigned char>(block[bit / 8] & ~(0x80u >> (bit % 8)));
  }
  if (block != *bytes) {
    return Fault{quoted(text) + " has bits set past its prefix",
                 "write " + address_text(block) + text.substr(slash) + ", or " + address_text(*bytes) + " alone"};
  }
  return text;
}

}  // namespace keygate::config
