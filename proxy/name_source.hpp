// Who knows which addresses a name has: the system, asked beside the thread that serves. Tests have one of their own.
#pragma once

#include "proxy/sockets.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace keygate::proxy {

class NameSource {
 public:
  using Answer = std::function<void(error_code, const std::vector<StreamEndpoint>&)>;

  NameSource() = default;
  virtual ~NameSource() = default;
  NameSource(const NameSource&) = delete;
  NameSource& operator=(const NameSource&) = delete;

  // Calls `answer` once, later, on the thread of whoever asks. It may take its time.
  virtual void ask(const std::string& host, std::uint16_t port, Answer answer) = 0;
};

// getaddrinfo, on Asio's thread for it.
class SystemNames final : public NameSource {
 public:
  explicit SystemNames(net::io_context& io) : io_(io) {}
  void ask(const std::string& host, std::uint16_t port, Answer answer) override;

 private:
  net::io_context& io_;
};

}  // namespace keygate::proxy
