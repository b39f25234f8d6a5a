// The request head as the upstream gets it: what was decided on, less what only concerned us, plus who it is.
// Pure. The one place that writes towards an upstream, and it takes a policy::Grant. Order of work:
// docs/life-of-a-request.md.
#pragma once

#include "policy/decide.hpp"
#include "policy/target.hpp"
#include "proxy/exchange_trace.hpp"
#include "proxy/request_head.hpp"
#include "proxy/snapshot.hpp"

#include <cstddef>
#include <span>
#include <string_view>

namespace keygate::proxy {

struct ForwardFacts {
  const Snapshot& snapshot;
  const RequestHead& head;
  const policy::RequestTarget& target;
  std::string_view host;         // the Host header to send
  std::string_view client_host;  // the Host that the client asked for, canonical with its port: X-Forwarded-Host
  std::string_view peer;         // the socket's other end, as text
  bool is_peer_v6 = false;
  bool is_secure = false;                // the client came over TLS
  bool is_peer_trusted = false;          // its X-Forwarded-* and X-Request-Id are believed
  std::string_view request_id;           // ours, or a trusted proxy's that was adopted
  bool is_degraded = false;              // identified by what is older than the staleness bound (stale_if_error)
  const ExchangeTrace* trace = nullptr;  // told in place of what the client says; null: what it says goes on
};

// An upper bound on what write_forward_head writes.
std::size_t forward_head_bound(const ForwardFacts& facts, const policy::Grant& grant);

// Writes the head into `room`, which has forward_head_bound bytes; returns its size.
std::size_t write_forward_head(const ForwardFacts& facts, const policy::Grant& grant, std::span<char> room);

// How often we have already forwarded this request, by our own entries in Via.
unsigned own_via_count(const RequestHead& head);

inline constexpr unsigned max_own_via = 9;  // the tenth time round is a loop (N-04)

}  // namespace keygate::proxy
