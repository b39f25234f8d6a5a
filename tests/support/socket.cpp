#include "tests/support/socket.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace keygate::test {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

sockaddr* generic(sockaddr_in& address) { return static_cast<sockaddr*>(static_cast<void*>(&address)); }

}  // namespace

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  close();
  fd_ = std::exchange(other.fd_, -1);
  return *this;
}

Socket::~Socket() { close(); }

void Socket::close() {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

void Socket::close_with_reset() {
  const linger hard{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close();
}

void Socket::shut_down_sending() const { shutdown(fd_, SHUT_WR); }
void Socket::shut_down() const { shutdown(fd_, SHUT_RDWR); }

bool Socket::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

Arrival receive(const Socket& socket, std::string& into, std::chrono::milliseconds limit) {
  pollfd entry{socket.fd(), POLLIN, 0};
  const int ready = poll(&entry, 1, static_cast<int>(limit.count()));
  if (ready == 0) {
    return Arrival::nothing;
  }
  std::array<char, 64 * 1024> block;
  const ssize_t size = recv(socket.fd(), block.data(), block.size(), 0);
  if (size < 0) {
    return Arrival::reset;
  }
  if (size == 0) {
    return Arrival::end;
  }
  into.append(block.data(), static_cast<std::size_t>(size));
  return Arrival::bytes;
}

Listening listen_on_loopback(std::uint16_t port) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) {
    fail("socket");
  }
  const int yes = 1;
  setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address = loopback(port);
  if (bind(socket.fd(), generic(address), sizeof address) != 0) {
    fail("bind");
  }
  if (listen(socket.fd(), 256) != 0) {
    fail("listen");
  }
  socklen_t size = sizeof address;
  if (getsockname(socket.fd(), generic(address), &size) != 0) {
    fail("getsockname");
  }
  return {std::move(socket), ntohs(address.sin_port)};
}

std::optional<Socket> try_connect(std::uint16_t port) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) {
    fail("socket");
  }
  sockaddr_in address = loopback(port);
  if (connect(socket.fd(), generic(address), sizeof address) != 0) {
    return std::nullopt;
  }
  // Each write is a packet: a request split byte by byte arrives as such.
  const int yes = 1;
  setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return socket;
}

Socket connect_to(std::uint16_t port) {
  auto socket = try_connect(port);
  if (!socket) {
    throw std::runtime_error("nobody listens on port " + std::to_string(port));
  }
  return std::move(*socket);
}

std::uint16_t free_port() { return listen_on_loopback().port; }

}  // namespace keygate::test
