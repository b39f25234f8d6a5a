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

}  // namespace keygate::proxy
