// Plain blocking TCP over loopback; what the raw client, the recording upstream and the port picker are made of.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keygate::test {

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void close();
  void close_with_reset();  // RST instead of FIN
  void shut_down_sending() const;
  void shut_down() const;  // wakes whoever waits on it

  // All of it; false when the peer has gone.
  bool send(std::string_view bytes) const;

 private:
  int fd_ = -1;
};

enum class Arrival { bytes, end, reset, nothing };

// Waits for bytes and appends them to `into`; `nothing` after `limit`.
Arrival receive(const Socket& socket, std::string& into, std::chrono::milliseconds limit);

struct Listening {
  Socket socket;
  std::uint16_t port = 0;
};

// Port 0: one that is free. Throws std::system_error.
Listening listen_on_loopback(std::uint16_t port = 0);

// nullopt: refused.
std::optional<Socket> try_connect(std::uint16_t port);
Socket connect_to(std::uint16_t port);  // throws where refused

// A port nobody listens on now; somebody else may take it before it is used.
std::uint16_t free_port();

}  // namespace keygate::test
