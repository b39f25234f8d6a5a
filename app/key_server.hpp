// The key server put together: its store, listeners, health, signals. One thread for all connections, two for the
// store. Used by `keygate keyserver`.
#pragma once

#include "app/key_api.hpp"
#include "config/file_state.hpp"
#include "config/settings.hpp"
#include "keys/asio.hpp"
#include "keys/revocation_sink.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace keygate::app {

class KeyServer {
 public:
  struct Parts {
    std::shared_ptr<const ApiRules> rules;  // with settings: listeners, health, limits, resolution.store
    // Who tells the proxies of changes, on the io_context given; empty: nobody does.
    std::function<std::unique_ptr<keys::RevocationSink>(net::io_context&)> make_sink;
    // Called on SIGHUP, or when a file has changed, on the thread of the sink: what is in force from now on, or null,
    // and why is on stderr. Empty: SIGHUP is ignored.
    std::function<std::shared_ptr<const ApiRules>()> reload;
    // What was read the last time, and is watched: a change is as good as SIGHUP. With `reload` only.
    std::function<config::FileStates()> files;
  };

  explicit KeyServer(Parts parts);
  ~KeyServer();

  // Opens store and listeners. A sentence for the operator where that fails; nothing runs then.
  std::optional<std::string> start();

  // Serves until SIGTERM or SIGINT has drained it. Exit status.
  int run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keygate::app
