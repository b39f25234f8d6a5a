// How far the other end has got with what it was sent: tells one that takes its time from one that takes nothing.
#pragma once

#include <cstdint>

namespace keygate::proxy {

// Bytes the peer has acknowledged over the connection's life; 0 where the system does not say. One system call.
std::uint64_t acknowledged_bytes(int socket);

}  // namespace keygate::proxy
