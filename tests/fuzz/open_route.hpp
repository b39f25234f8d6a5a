// A snapshot with one open route over everything and a credential in each place there is, and requests on their way
// through it: what writes towards an upstream, without anybody to look up.
#pragma once

#include "policy/decide.hpp"
#include "policy/target.hpp"
#include "proxy/forward_head.hpp"
#include "proxy/request_head.hpp"
#include "proxy/snapshot.hpp"

#include <functional>
#include <string>

namespace keygate::fuzz {

const proxy::Snapshot& open_snapshot();

using Forward = std::function<void(const proxy::ForwardFacts&, const policy::Grant&)>;

// Calls `forward` with what the client said where the proxy would send it on, and says whether it would. `head` was
// read with the snapshot's reserved names.
bool on_open_route(proxy::RequestHead& head, bool is_peer_trusted, const Forward& forward);

// The head that goes up, in memory of the size that was measured for it.
std::string forwarded_head(const proxy::ForwardFacts& facts, const policy::Grant& grant);

}  // namespace keygate::fuzz
