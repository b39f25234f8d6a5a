// What does it cost to be in between at all? Passes bytes on from each client to a connection to the upstream of its
// own, and back, and looks at none of them: the floor under every proxy of one thread on this machine. Run by `./dev
// bench`. Usage: relay PORT UPSTREAM-PORT
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace {

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

std::uint16_t port_of(std::string_view text) {
  std::uint16_t port = 0;
  std::from_chars(text.data(), text.data() + text.size(), port);
  return port;
}

sockaddr_in local(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int stream() {
  const int descriptor = checked(::socket(AF_INET, SOCK_STREAM, 0), "socket");
  constexpr int yes = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  return descriptor;
}

class Relay {
 public:
  Relay(std::uint16_t port, std::uint16_t upstream)
      : epoll_(checked(::epoll_create1(0), "epoll_create1")), listener_(stream()), upstream_(local(upstream)) {
    const sockaddr_in here = local(port);
    checked(::bind(listener_, reinterpret_cast<const sockaddr*>(&here), sizeof here), "bind");
    checked(::listen(listener_, SOMAXCONN), "listen");
    watch(listener_, -1);
  }

  void run() {
    std::array<epoll_event, 128> events;
    while (true) {
      const int count = ::epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        const int ready = events[static_cast<std::size_t>(i)].data.fd;
        if (ready == listener_) {
          accept();
        } else if (others_[static_cast<std::size_t>(ready)] >= 0) {
          pass_on(ready);
        }
      }
    }
  }

 private:
  void watch(int descriptor, int other) {
    others_.resize(std::max(others_.size(), static_cast<std::size_t>(descriptor) + 1), -1);
    others_[static_cast<std::size_t>(descriptor)] = other;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    checked(::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
  }

  void accept() {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    const int service = stream();
    checked(::connect(service, reinterpret_cast<const sockaddr*>(&upstream_), sizeof upstream_), "connect");
    constexpr int yes = 1;
    for (const int one : {client, service}) ::setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    watch(client, service);
    watch(service, client);
  }

  // Whatever is small fits the other's buffer: nothing here waits for room.
  void pass_on(int from) {
    const int to = others_[static_cast<std::size_t>(from)];
    const ssize_t got = ::recv(from, bytes_.data(), bytes_.size(), 0);
    if (got > 0 && ::send(to, bytes_.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) == got) return;
    for (const int one : {from, to}) {
      others_[static_cast<std::size_t>(one)] = -1;
      ::close(one);
    }
  }

  int epoll_;
  int listener_;
  sockaddr_in upstream_;
  std::vector<int> others_;  // by descriptor
  std::array<char, 16 * 1024> bytes_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: relay PORT UPSTREAM-PORT\n";
    return 2;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // should who runs it be killed
  try {
    Relay(port_of(argv[1]), port_of(argv[2])).run();
  } catch (const std::exception& fault) {
    std::cerr << "relay: " << fault.what() << '\n';
  }
  return 1;
}
