// The TLS of all listeners and upstreams, as their files were read at start or reload. Held by the snapshot.
#pragma once

#include "config/settings.hpp"

#include <memory>
#include <vector>

namespace keygate::proxy {

class ServerTls;
class UpstreamTls;

struct TlsContexts {
  std::vector<std::shared_ptr<const ServerTls>> listeners;    // by listener; null: it is plain
  std::vector<std::shared_ptr<const UpstreamTls>> upstreams;  // by upstream; null: none of its endpoints is https://
};

// What cannot be had is a Problem at the place that names it.
TlsContexts read_tls(const config::Settings& settings, config::Problems& problems);

}  // namespace keygate::proxy
