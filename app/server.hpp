// The process put together: store, workers, listeners, health, signals. Built by hand, top down; docs/architecture.md
// has the tree. Used by `run` and `dev`.
#pragma once

#include "config/file_state.hpp"
#include "proxy/worker.hpp"
#include "telemetry/access_log.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace keygate::app {

// Of this process: level and form of its operational log.
void configure_logging(const config::Settings& settings);

class Server {
 public:
  struct Parts {
    std::shared_ptr<const proxy::Snapshot> snapshot;
    std::string config_file;     // read again on SIGHUP, and when one of the files changes; empty: never
    config::FileStates files{};  // what the snapshot was read from
    telemetry::AccessFormat access_format = telemetry::AccessFormat::json;
    std::function<void()> on_serving;     // called once every listener accepts
    std::function<void()> on_reloaded{};  // another configuration is in force
    proxy::Onlooker onlooker{};
  };

  explicit Server(Parts parts);
  ~Server();

  // Opens store, listeners and threads. A sentence for the operator where that fails; nothing runs then.
  std::optional<std::string> start();

  // Serves until SIGTERM or SIGINT has drained it (docs/configuration.md). Exit status.
  int run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keygate::app
