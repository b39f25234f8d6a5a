#include "app/service_manager.hpp"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace keygate::app {
namespace {

// The address that NOTIFY_SOCKET stands for: a path, or a name in the abstract namespace behind an @. 0: neither.
socklen_t address_of(const char* name, sockaddr_un& address) {
  const std::size_t size = std::strlen(name);
  const bool is_abstract = name[0] == '@';
  if ((name[0] != '/' && !is_abstract) || size < 2 || size >= sizeof(address.sun_path)) {
    return 0;
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name, size);
  if (is_abstract) {
    address.sun_path[0] = '\0';
  }
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
}

std::string monotonic_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(now.tv_sec * 1'000'000 + now.tv_nsec / 1'000);
}

}  // namespace

bool tell_service_manager(std::string_view state) {
  const char* const name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr) {
    return false;
  }
  union {
    sockaddr_un path;
    sockaddr any;
  } address{};
  const socklen_t size = address_of(name, address.path);
  if (size == 0) {
    return false;
  }
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) {
    return false;
  }
  const ssize_t sent = ::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL, &address.any, size);
  ::close(socket);
  return sent == static_cast<ssize_t>(state.size());
}

ReloadNotice::ReloadNotice() { tell_service_manager("RELOADING=1\nMONOTONIC_USEC=" + monotonic_microseconds()); }

ReloadNotice::~ReloadNotice() { tell_service_manager("READY=1"); }

}  // namespace keygate::app
