// From a head to what decide() is asked, in the steps that need nobody's word: which host, which target, which
// credential. Pure. Called by exchange for what came over a socket, and by rehearsal for what did not.
#pragma once

#include "keys/credential.hpp"
#include "policy/decide.hpp"
#include "proxy/request_head.hpp"
#include "proxy/snapshot.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace keygate::proxy {

// The request's Host in the one form that is matched, without its port, in `room`; nullopt: it is none.
std::optional<std::string_view> settled_host(const RequestHead& head, std::span<char> room);

// The canonical host with the port that the client sent, where `host` is what settled_host has put into `room`.
std::string_view host_with_port(const RequestHead& head, std::string_view host, std::span<char> room);

// The target in its one form, put so in place. For a head that is not `OPTIONS *`.
std::variant<policy::RequestTarget, HeadRefusal> settled_target(const Snapshot& snapshot, const RequestHead& head);

// What of the caller can be said without asking anybody. Where a key has to be looked up, `caller.found` is
// could_not_find_out: the state that denies until an answer is there.
struct Approach {
  keys::Presented presented;
  policy::Caller caller;
  keys::KeyDigest digest;  // of what was presented, if anything was
};

// Finds the credential; a route that asks for none, or none at all, has nobody look. `is_secure`: the client came over
// TLS.
Approach approach(const Snapshot& snapshot, const policy::Route* route, const RequestHead& head,
                  const policy::RequestTarget& target, keys::Hasher& hash, bool is_secure = false);

// A trusted proxy's id joins its log to ours; anybody else's could forge a line in it. For a peer that is trusted;
// empty: it sent none that can be used.
std::string_view adopted_request_id(const RequestHead& head);

// Whether the body says that it is larger than is accepted. What has no length is counted as it comes.
bool is_body_too_large(const Snapshot& snapshot, const RequestHead& head);

}  // namespace keygate::proxy
