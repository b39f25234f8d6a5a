// The health listener: /livez, /readyz, /metrics and forwarded probes, apart from the data listeners so that a kubelet
// can reach it and a client cannot. Runs on the control thread; answers GET and HEAD only, also where the process is
// out of descriptors: one is kept for it.
#pragma once

#include "app/forwarded_probes.hpp"
#include "config/settings.hpp"
#include "keys/asio.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace keygate::app {

struct HealthChecks {
  std::function<bool()> is_live;              // every event loop turns
  std::function<std::string_view()> unready;  // why it should get no requests; empty: it may
  // The text of /metrics, by `done`, which may be called later, on the control thread; empty: there is none.
  std::function<void(std::function<void(std::string)> done)> metrics{};
  // False: this path stands for no upstream's, and `done` is not called. It may be called before this returns.
  std::function<bool(std::string_view path, ForwardedProbes::Done done)> forward{};
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
