#include "proxy/tcp_progress.hpp"

// The kernel's own header: glibc's netinet/tcp.h ends before the field. The two cannot be included together.
#include <cstddef>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace keygate::proxy {

std::uint64_t acknowledged_bytes(int socket) {
  tcp_info facts{};
  socklen_t size = sizeof facts;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &facts, &size) != 0 ||
      size < offsetof(tcp_info, tcpi_bytes_acked) + sizeof facts.tcpi_bytes_acked) {
    return 0;
  }
  return facts.tcpi_bytes_acked;
}

}  // namespace keygate::proxy
