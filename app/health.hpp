// The health listener: /livez, /readyz and /metrics, apart from the data listeners so that a kubelet can reach it and a
// client cannot. Runs on the control thread; answers GET and HEAD only, also where the process is out of descriptors:
// one is kept for it.
#pragma once

#include "config/settings.hpp"
#include "keys/asio.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace keygate::app {

struct HealthChecks {
  std::function<bool()> is_live;   // every event loop turns
  std::function<bool()> is_ready;  // a complete policy is in force and nothing is draining
  // The text of /metrics, by `done`, which may be called later, on the control thread; empty: there is none.
  std::function<void(std::function<void(std::string)> done)> metrics{};
};

class HealthServer {
 public:
  static constexpr std::size_t max_connections = 64;  // of probes and scrapers; descriptors are the clients'

  // Binds at once: errors are the socket's.
  static Result<std::unique_ptr<HealthServer>> open(net::io_context& io, const config::ListenerSettings& settings,
                                                    HealthChecks checks);
  ~HealthServer();

 private:
  struct Impl;
  explicit HealthServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace keygate::app
