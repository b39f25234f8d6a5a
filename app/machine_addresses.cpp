#include "app/machine_addresses.hpp"

#include <algorithm>
#include <cstring>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace keygate::app {
namespace {

using net::ip::address;

std::optional<address> address_of(const sockaddr* from) {
  if (from == nullptr) {
    return std::nullopt;
  }
  if (from->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, from, sizeof v4);
    return net::ip::address_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (from->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, from, sizeof v6);
    net::ip::address_v6::bytes_type bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return net::ip::address_v6(bytes, v6.sin6_scope_id);
  }
  return std::nullopt;
}

// Whether our listeners on :: take IPv4 as well: they are as the system makes them.
bool is_dual_stack() {
  const int descriptor = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int is_v6_only = 0;
  socklen_t size = sizeof is_v6_only;
  if (descriptor >= 0) {
    ::getsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &is_v6_only, &size);
    ::close(descriptor);
  }
  return is_v6_only == 0;
}

}  // namespace

std::optional<std::vector<address>> machine_addresses() {
  std::vector<address> found;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) {
    return std::nullopt;
  }
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    const auto at = address_of(one->ifa_addr);
    const bool is_up = (one->ifa_flags & IFF_UP) != 0;
    if (at && is_up && !at->is_loopback() && !at->is_unspecified()) {
      found.push_back(*at);
    }
  }
  ::freeifaddrs(first);
  return found;
}

std::vector<address> loopback_of(const std::string& host) {
  if (host == "localhost") {
    return {net::ip::address_v4::loopback(), net::ip::address_v6::loopback()};
  }
  error_code error;
  const address one = net::ip::make_address(host, error);
  return {error ? net::ip::address_v4::loopback() : one};  // 127.1 is no address to everybody
}

bool is_ours(const std::vector<config::ListenerSettings>& listeners, const proxy::Tcp::endpoint& place) {
  return std::any_of(listeners.begin(), listeners.end(), [&place](const config::ListenerSettings& one) {
    error_code error;
    const address host = net::ip::make_address(one.host, error);
    if (!one.socket.empty() || error || one.port != place.port()) {
      return false;
    }
    if (!host.is_unspecified()) {
      return host == place.address();
    }
    return host.is_v6() == place.address().is_v6() || (host.is_v6() && is_dual_stack());
  });
}

}  // namespace keygate::app
