// The admin listener: the page, /api and its events, for operators on this machine. A unix socket (0600) or loopback;
// Host and Origin are checked, as a browser can be made to ask anything of 127.0.0.1. Runs on the control thread.
#pragma once

#include "app/admin_api.hpp"
#include "keys/asio.hpp"

#include <cstddef>
#include <memory>

namespace keygate::app {

class AdminServer {
 public:
  static constexpr std::size_t max_connections = 32;
  static constexpr std::size_t max_streams = 8;  // of events, among these

  // Binds at once: errors are the socket's. What `desk` names outlives this.
  static Result<std::unique_ptr<AdminServer>> open(net::io_context& io, const config::AdminSettings& settings,
                                                   AdminDesk desk);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  struct State;

 private:
  explicit AdminServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace keygate::app
