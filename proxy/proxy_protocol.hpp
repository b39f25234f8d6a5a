// The PROXY header, versions 1 and 2, with which a load balancer says whom a connection comes from
// (https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt). Pure; fuzzed. Read by greeting before anything else.
#pragma once

#include "proxy/forwarding.hpp"

#include <cstddef>
#include <string_view>

namespace keygate::proxy {

inline constexpr std::size_t max_proxy_header_v1 = 107;  // its line, CRLF included
inline constexpr std::size_t max_proxy_header = 536;     // of version 2, extensions included

struct ProxyHeader {
  enum class State : std::uint8_t {
    incomplete,  // all that has come may be the beginning of one, and nothing of it is behind one
    invalid,
    complete,
  };
  enum class Client : std::uint8_t {
    sender,   // LOCAL: the balancer speaks for itself, as in a health check
    unknown,  // somebody, of whom it cannot say an address of IP
    known,
  };

  State state = State::incomplete;
  Client client = Client::sender;
  Address address;       // of a known client
  std::size_t size = 0;  // of a complete header
};

// What stands at the start of `bytes`.
ProxyHeader read_proxy_header(std::string_view bytes);

}  // namespace keygate::proxy
