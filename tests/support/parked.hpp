// How many of its clients a keygate has parked, seen from outside: their sockets are in an epoll set that is itself in
// one.
#pragma once

#include <cstddef>
#include <sys/types.h>

namespace keygate::test {

std::size_t parked_clients(pid_t pid);

// Waits until there are `count`.
bool are_parked(pid_t pid, std::size_t count);

}  // namespace keygate::test
