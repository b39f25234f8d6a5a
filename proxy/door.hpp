// What a listener does with whoever connects, before the first request is read.
#pragma once

#include "proxy/server_tls.hpp"

#include <memory>

namespace keygate::proxy {

struct Door {
  bool is_local = false;  // a unix socket
  bool reads_proxy_header = false;
  bool is_tls = false;
  std::shared_ptr<const ServerTls> tls;  // null where is_tls: nobody gets in
};

}  // namespace keygate::proxy
