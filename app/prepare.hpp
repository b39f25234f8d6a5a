// From a configuration file to a snapshot ready to serve, or to everything that is wrong with it. `run`, `dev`,
// `check`, `explain` and reload all come through here, so that what `check` passes is what `run` accepts.
#pragma once

#include "config/loader.hpp"
#include "config/problem.hpp"
#include "config/purpose.hpp"
#include "proxy/snapshot.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace keygate::app {

struct Prepared {
  std::shared_ptr<const proxy::Snapshot> snapshot;  // null if and only if problems has an error
  config::Problems problems;                        // sorted; may hold warnings beside a snapshot
  config::FileStates files;                         // all that it was read from, or would have been
};

// Whether what the configuration only names is read too: passwords, tokens, certificates. `explain` leaves it.
enum class ReadSecrets : std::uint8_t { yes, no };

// `in_force`: what a reload may go on with.
Prepared prepare_file(const std::string& path, std::uint64_t generation, ReadSecrets secrets = ReadSecrets::yes,
                      const proxy::TlsContexts& in_force = {});
Prepared prepare(config::Loaded loaded, std::uint64_t generation, ReadSecrets secrets = ReadSecrets::yes,
                 const proxy::TlsContexts& in_force = {});

// The same for `keygate keyserver`, which needs the catalogue and no routes.
struct PreparedKeyServer {
  std::shared_ptr<const config::Settings> settings;  // null if and only if problems has an error
  std::shared_ptr<const policy::Policy> policy;      // its catalogue; null where settings is
  config::Problems problems;
  config::FileStates files;
};

PreparedKeyServer prepare_key_server(config::Loaded loaded);

// Loads as a proxy's configuration, or as a key server's where it has tokens for one and nothing to forward to.
struct Guessed {
  config::Purpose purpose = config::Purpose::proxy;
  config::Loaded loaded;
};
Guessed load_by_guess(const std::string& path);

}  // namespace keygate::app
