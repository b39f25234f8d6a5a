// What a listener does with whoever connects, before the first request is read.
#pragma once

#include "config/wire_settings.hpp"
#include "proxy/server_tls.hpp"

#include <memory>
#include <optional>

namespace keygate::proxy {

struct Door {
  bool is_local = false;  // a unix socket
  bool reads_proxy_header = false;
  bool is_tls = false;
  std::shared_ptr<const ServerTls> tls;            // null where is_tls: nobody gets in
  std::optional<config::DecisionDialect> decides;  // a decision service, asked so
};

// Where the clients of one listener come in. One that came by another door than there is now is met no longer, and
// one whose listener is gone is answered once more at most.
struct Doorway {
  std::shared_ptr<const Door> door;  // null: the first request comes first
  bool is_gone = false;              // by a reload, which took the listener away
};

// Whether a client is met alike by both, certificates apart. Null: a door that asks for nothing.
bool is_alike(const Door* one, const Door* other);

}  // namespace keygate::proxy
