#include "proxy/request_target.hpp"

#include <array>
#include <charconv>

namespace keygate::proxy {
namespace {

using policy::Reason;

constexpr std::size_t max_host_size = 255;

// -1: malformed.
int port_of(std::string_view authority, int default_port) {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon == std::string_view::npos || colon + 1 == authority.size()) {
    return default_port;
  }
  int port = 0;
  const char* const end = authority.data() + authority.size();
  const auto [stop, error] = std::from_chars(authority.data() + colon + 1, end, port);
  return error == std::errc{} && stop == end && port > 0 && port < 65536 ? port : -1;
}

struct Absolute {
  std::size_t authority_begin;
  int default_port;
};

std::optional<Absolute> absolute_form(std::string_view target) {
  if (target.size() >= 7 && equals_ignoring_case(target.substr(0, 7), "http://")) {
    return Absolute{7, 80};
  }
  if (target.size() >= 8 && equals_ignoring_case(target.substr(0, 8), "https://")) {
    return Absolute{8, 443};
  }
  return std::nullopt;
}

}  // namespace

bool same_authority(std::string_view a, std::string_view b, int default_port) {
  if (a.size() > max_host_size || b.size() > max_host_size) {
    return false;
  }
  std::array<char, max_host_size> room_a, room_b;
  const auto host_a = policy::canonical_host(a, room_a);
  const auto host_b = policy::canonical_host(b, room_b);
  const int port = port_of(a, default_port);
  return host_a && host_b && *host_a == *host_b && port >= 0 && port == port_of(b, default_port);
}

std::optional<HeadRefusal> settle_target(std::span<char> raw, RequestHead& out) {
  const std::string_view target(raw.data(), raw.size());
  out.is_asterisk = false;
  if (target.front() == '/') {
    out.target = raw;
    return std::nullopt;
  }
  if (target == "*") {
    if (out.method != policy::Method::options) {
      return HeadRefusal{Reason::bad_request, "asterisk-form without OPTIONS"};
    }
    out.is_asterisk = true;
    out.target = raw;
    return std::nullopt;
  }
  const auto absolute = absolute_form(target);
  if (!absolute) {
    return HeadRefusal{Reason::bad_request, "a target that is neither a path nor a URL"};
  }
  std::size_t authority_end = target.find_first_of("/?", absolute->authority_begin);
  if (authority_end == std::string_view::npos) {
    authority_end = target.size();
  }
  const std::string_view authority =
      target.substr(absolute->authority_begin, authority_end - absolute->authority_begin);
  if (authority.empty() || authority.find('@') != std::string_view::npos) {
    return HeadRefusal{Reason::bad_request, "a URL without host or with user information"};
  }
  if (!same_authority(authority, out.host, absolute->default_port)) {
    return HeadRefusal{Reason::misdirected_request, "the URL names another host than Host"};
  }
  if (authority_end == target.size() || target[authority_end] == '?') {
    raw[--authority_end] = '/';  // an empty path is "/": the authority's last byte has served its purpose
  }
  out.target = raw.subspan(authority_end);
  return std::nullopt;
}

}  // namespace keygate::proxy
