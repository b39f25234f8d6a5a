// The built-in upstream of `keygate dev`: answers every request with the head it was sent, as JSON, so that a newcomer
// sees what an upstream sees. For a developer's machine only.
#pragma once

#include "keys/asio.hpp"

#include <cstdint>
#include <memory>

namespace keygate::app {

class EchoUpstream {
 public:
  // Listens on a free port of 127.0.0.1 and serves on a thread of its own. Throws std::system_error where it cannot.
  EchoUpstream();
  ~EchoUpstream();

  std::uint16_t port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keygate::app
